"""`rewrite` and `recheck`: what a finished design is asked afterwards."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from heavy_stack.cli.result_table import milliseconds, output_console
from heavy_stack.cli.submit import (
    JsonOption,
    PasswordOption,
    ServerOption,
    UserOption,
    exit_with,
    follow,
    leave_failed,
)
from heavy_stack.cli.task_client import ServerUnreachable, TaskClient, WaitTimeout, client_for
from heavy_stack.errors import InputError
from heavy_stack.settings import load_settings
from heavy_stack.shared_models.reports import Recheck, Report, TextReport
from heavy_stack.shared_models.verdicts import REASON_LABELS, VERDICT_LABELS, Verdict

NOT_CHECKED = 5
"""Exit code of `recheck` when nothing is broken, but not everything could be asked."""
_STYLES = {"holds": "green", "broken": "bold red", "unknown": "yellow"}

UrlOption = Annotated[
    str | None, typer.Option(help="Where the tables are, with credentials; default: the design's own address.")
]
TimeoutOption = Annotated[float, typer.Option(help="Seconds to wait at most.")]


def rewrite(
    task: Annotated[str, typer.Argument(help="Id of the finished task whose design is asked.")],
    query: Annotated[Path, typer.Argument(help="File with one SELECT; - reads standard input.")],
    url: UrlOption = None,
    verify: Annotated[
        Literal["none", "explain", "conditions", "engine"],
        typer.Option(help="How far to check; engine also builds the design and compares on the data."),
    ] = "conditions",
    as_json: JsonOption = False,
    timeout: TimeoutOption = 900,
    server: ServerOption = None,
    user: UserOption = None,
    password: PasswordOption = None,
) -> None:
    """Rewrite a query that arrives later onto a design; exits 1 when the design does not answer it."""
    body: dict[str, Any] = {"query": _read_query(query), "verify": verify}
    if url is not None:
        body["url"] = url
    with _connected(server, user, password) as client:
        answer = _answer(client, client.rewrite(task, body), timeout, as_json)
        text = Report.model_validate(answer["report"]).texts[0]
        answered = text.verdict is not Verdict.UNCHANGED
        if as_json:
            found = {"taskid": answer["taskid"], "answered": answered, "query": answer["queries"][0]["query"]}
            sys.stdout.write(json.dumps({**found, **text.model_dump(mode="json")}) + "\n")
        else:
            _show_text(output_console(), text)
    if not answered:
        raise typer.Exit(1)


def recheck(
    task: Annotated[str, typer.Argument(help="Id of the finished task whose conditions are checked.")],
    url: UrlOption = None,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 900,
    server: ServerOption = None,
    user: UserOption = None,
    password: PasswordOption = None,
) -> None:
    """Check again what must stay true of the data; exits 1 when something broke, 5 when something was not checked."""
    with _connected(server, user, password) as client:
        answer = _answer(client, client.recheck(task, url), timeout, as_json)
        found = Recheck.model_validate(answer["recheck"])
        if as_json:
            sys.stdout.write(json.dumps({"taskid": answer["taskid"], **found.model_dump(mode="json")}) + "\n")
        else:
            _show_recheck(output_console(), found)
    if found.broken:
        raise typer.Exit(1)
    if found.unknown:
        raise typer.Exit(NOT_CHECKED)


@contextmanager
def _connected(server: str | None, user: str | None, password: str | None) -> Iterator[TaskClient]:
    client = client_for(load_settings(), server, user, password)
    try:
        yield client
    except ServerUnreachable as error:
        exit_with(error.message, 3)
    except WaitTimeout as error:
        exit_with(error.message, 4)
    finally:
        client.close()


def _read_query(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}", code="file_not_readable") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8", code="file_not_readable") from None


def _answer(client: TaskClient, task_id: str, timeout_s: float, as_json: bool) -> dict[str, Any]:
    status = follow(client, task_id, Console(stderr=True), timeout_s=timeout_s)
    if status["status"] == "FAILED":
        leave_failed(task_id, status, as_json)
    answer: dict[str, Any] = json.loads(client.result(task_id))
    return answer


def _show_text(console: Console, text: TextReport) -> None:
    if text.verdict is Verdict.UNCHANGED:
        label = REASON_LABELS[text.reason] if text.reason is not None else "No reason was given"
        place = f" (line {text.line}, column {text.column})" if text.line is not None else ""
        console.print(Text(f"The design does not answer it: {label}{place}.", style="bold yellow"))
        if text.detail:
            console.print(Text(text.detail))
        return
    console.print(Text(f"The design answers it. {VERDICT_LABELS[text.verdict]}.", style="bold green"))
    console.print(Text(f"reads: {', '.join(text.tables)}"))
    if text.before_s is not None and text.after_s is not None:
        console.print(Text(f"before: {milliseconds(text.before_s)}, after: {milliseconds(text.after_s)}"))
    for item in text.evidence:
        console.print(Text(f"{item.kind}: {item.name}: {item.outcome}", style="dim"))
    console.print()
    # As it is, so that it can be copied or piped on.
    console.print(text.rewritten, markup=False, highlight=False, soft_wrap=True)


def _show_recheck(console: Console, found: Recheck) -> None:
    if not found.certificates:
        console.print("The design relies on no condition: there is nothing that could break.")
        return
    table = Table(title="What must stay true of your data", header_style="bold", title_justify="left")
    table.add_column("condition", overflow="fold")
    table.add_column("now", no_wrap=True)
    table.add_column("queries", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for item in found.certificates:
        outcome = Text(item.outcome, style=_STYLES.get(item.outcome, ""))
        table.add_row(Text(item.name), outcome, f"{item.queries:,}", Text(item.detail or ""))
    console.print(table)
    if found.note:
        console.print(Text(found.note, style="yellow"))
    for item in found.certificates:
        if item.outcome == "broken":
            console.print(Text("This must return no row:", style="bold"))
            console.print(item.sql, markup=False, highlight=False, soft_wrap=True)
