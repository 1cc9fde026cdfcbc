"""`submit`, `poll-status` and `getresult`: the three calls of the task API from a terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from heavy_stack.cli.result_table import output_console, show_answer
from heavy_stack.cli.task_client import (
    ENDED,
    POLL_S,
    ServerUnreachable,
    TaskClient,
    WaitTimeout,
    client_for,
    read_workload,
)
from heavy_stack.settings import load_settings
from heavy_stack.shared_models.tasks import STAGE_LABELS, STAGES, Stage

ServerOption = Annotated[
    str | None, typer.Option(help="Address of the server; default from HEAVY_HOST and HEAVY_PORT.")
]
UserOption = Annotated[str | None, typer.Option(help="User; default HEAVY_AUTH_USER.")]
PasswordOption = Annotated[
    str | None, typer.Option(help="Password; default HEAVY_AUTH_PASSWORD, else the embedded form's password file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]


def submit(
    workload: Annotated[Path, typer.Argument(help="JSON file: url, ddl, queries.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the answer and show it.")] = False,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.")] = 900,
    server: ServerOption = None,
    user: UserOption = None,
    password: PasswordOption = None,
) -> None:
    """Send a workload; with --wait, show its progress and the verified answer."""
    client = client_for(load_settings(), server, user, password)
    try:
        task_id = client.submit(read_workload(workload))
        if not wait:
            sys.stdout.write(json.dumps({"taskid": task_id}) + "\n")
            return
        status = follow(client, task_id, Console(stderr=True), timeout_s=timeout)
        if status["status"] == "FAILED":
            leave_failed(task_id, status, as_json)
        body = client.result(task_id)
        if as_json:
            sys.stdout.buffer.write(body + b"\n")
        else:
            show_answer(output_console(), json.loads(body))
            Console().print(f"{client.server}/tasks/{task_id}/result", highlight=False, soft_wrap=True)
    except ServerUnreachable as error:
        exit_with(error.message, 3)
    except WaitTimeout as error:
        exit_with(error.message, 4)
    finally:
        client.close()


def poll_status(
    task_id: Annotated[str, typer.Argument(help="The task's id.")],
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.")] = 900,
    server: ServerOption = None,
    user: UserOption = None,
    password: PasswordOption = None,
) -> None:
    """Print the task's status until it is DONE, COMPLETE or FAILED."""
    client = client_for(load_settings(), server, user, password)
    last: list[str] = []

    def show(status: dict[str, Any]) -> None:
        if as_json:
            sys.stdout.write(json.dumps(status) + "\n")
            return
        line = f"Status: {status['status']}" + (f" ({status['stage']})" if status.get("stage") else "")
        if [line] != last:
            last[:] = [line]
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    try:
        status = client.wait(task_id, show, timeout_s=timeout)
    except ServerUnreachable as error:
        exit_with(error.message, 3)
    except WaitTimeout as error:
        exit_with(error.message, 4)
    finally:
        client.close()
    if not as_json:
        sys.stdout.write(f"Task is {status['status']}!\n")
    if status["status"] == "FAILED":
        raise typer.Exit(1)


def getresult(
    task_id: Annotated[str, typer.Argument(help="The task's id.")],
    as_json: JsonOption = False,
    server: ServerOption = None,
    user: UserOption = None,
    password: PasswordOption = None,
) -> None:
    """Print a task's answer: tables on a terminal, the API's JSON with --json or into a pipe."""
    client = client_for(load_settings(), server, user, password)
    try:
        body = client.result(task_id)
    except ServerUnreachable as error:
        exit_with(error.message, 3)
    finally:
        client.close()
    if as_json or not sys.stdout.isatty():
        sys.stdout.buffer.write(body + b"\n")
    else:
        show_answer(output_console(), json.loads(body))


def follow(client: TaskClient, task_id: str, console: Console, *, timeout_s: float) -> dict[str, Any]:
    """Show a progress bar until the task ended; returns its last status."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=console, refresh_per_second=1 / POLL_S) as bar:
        line = bar.add_task("waiting for a worker", total=1.0)
        seen: set[str] = set()

        def show(status: dict[str, Any]) -> None:
            finished = status.get("stage")
            if finished and finished not in seen:
                seen.add(finished)
                if not console.is_terminal:
                    console.print(f"finished: {finished}", highlight=False)
            done = 1.0 if status["status"] in ENDED else float(status.get("progress") or 0)
            bar.update(line, completed=done, description=status.get("activity") or _next_label(finished))

        return client.wait(task_id, show, timeout_s=timeout_s)


def _next_label(finished: str | None) -> str:
    index = STAGES.index(Stage(finished)) + 1 if finished else 0
    return STAGE_LABELS[STAGES[min(index, len(STAGES) - 1)]]


def leave_failed(task_id: str, status: dict[str, Any], as_json: bool) -> NoReturn:
    """Say why the task FAILED, and exit."""
    if as_json:
        sys.stdout.write(json.dumps(status) + "\n")
    exit_with(f"task {task_id} FAILED: {status.get('error')}: {status.get('message')}", 1)


def exit_with(message: str, code: int) -> NoReturn:
    """One line on stderr, and that exit code."""
    Console(stderr=True).print(f"[bold red]{message}[/]", highlight=False, soft_wrap=True)
    raise typer.Exit(code)
