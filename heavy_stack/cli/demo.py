"""`dev demo`: a sample lakehouse, a real server, the sample workload through the public API, and what came out."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from heavy_stack.cli.result_table import output_console, show_answer
from heavy_stack.cli.submit import follow
from heavy_stack.cli.task_client import TaskClient, known_password
from heavy_stack.errors import HeavyStackError
from heavy_stack.settings import Settings, load_settings, resource_dir
from heavy_stack.shared_models.reports import Report
from heavy_stack.shared_models.verdicts import Verdict

app = typer.Typer(no_args_is_help=True)
SAMPLE = "retail"
START_S = 60.0
STOP_S = 15.0


@app.command()
def sample(
    rows: Annotated[int, typer.Option(help="Rows of the fact table.")] = 10_000_000,
    folder: Annotated[Path | None, typer.Option(help="Target; default <data folder>/lake/retail.")] = None,
) -> None:
    """Make the sample lakehouse (Parquet folders)."""
    make_sample(folder or load_settings().lakes[0] / SAMPLE, rows, Console())


@app.command()
def demo(
    rows: Annotated[int, typer.Option(help="Rows of the fact table.")] = 10_000_000,
    serve_after: Annotated[
        bool | None, typer.Option("--serve/--no-serve", help="Serve until Ctrl-C afterwards; default: on a terminal.")
    ] = None,
) -> None:
    """Make the sample lakehouse, start the server, submit the sample workload and show what it saves."""
    console = output_console()
    settings = load_settings()
    lake = settings.lakes[0]
    make_sample(lake / SAMPLE, rows, console)
    port = _free_port(settings)
    stay = sys.stdout.isatty() if serve_after is None else serve_after
    with _server(settings, port) as process:
        client = TaskClient(f"http://127.0.0.1:{port}", settings.auth_user, _password(settings, process))
        try:
            _wait_until_up(client, process)
            console.print(f"serving at {client.server}", highlight=False)
            report, page = _submit(client, lake, settings, console)
        finally:
            client.close()
        verified = sum(text.verdict is not Verdict.UNCHANGED for text in report.texts)
        if stay:
            console.print(f"Sign in as [bold]{settings.auth_user}[/]; the password is in {_password_file(settings)}")
            console.print(f"Look at {page} and press Ctrl-C to stop.", highlight=False, soft_wrap=True)
            _serve_until_interrupt(process)
    if not verified:
        console.print("[red]no query was rewritten: that is not what this demo is for[/]")
        raise typer.Exit(1)


def make_sample(folder: Path, rows: int, console: Console) -> None:
    """Write the sample tables below `folder` unless they are there."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        line = bar.add_task("sample lakehouse", total=1.0)

        def show(done: float, table: str) -> None:
            bar.update(line, completed=done, description=f"sample lakehouse: {table}")

        _generator()(folder, rows, show)
        bar.update(line, completed=1.0, description=f"sample lakehouse: {rows:,} sales in {folder}")


def sample_workload(lake: Path) -> bytes:
    """The sample workload as the API takes it, with the lake's folder in its url."""
    text = (resource_dir("static") / "samples" / f"{SAMPLE}.json").read_text(encoding="utf-8")
    workload = json.loads(text)
    workload["url"] = workload["url"].replace("{lake}", str(lake))
    return json.dumps(workload).encode()


def _generator() -> Callable[[Path, int, Callable[[float, str], None]], bool]:
    path = resource_dir("static") / "samples" / f"make_{SAMPLE}.py"
    spec = importlib.util.spec_from_file_location(f"make_{SAMPLE}", path)
    if spec is None or spec.loader is None:
        raise HeavyStackError(f"{path} is missing; install the project again", code="missing_file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    make: Callable[[Path, int, Callable[[float, str], None]], bool] = module.make
    return make


def _submit(client: TaskClient, lake: Path, settings: Settings, console: Console) -> tuple[Report, str]:
    started = time.monotonic()
    task_id = client.submit(sample_workload(lake))
    console.print(f"submitted as task {task_id}", highlight=False)
    status = follow(client, task_id, console, timeout_s=settings.task_budget_s + 60)
    if status["status"] != "DONE":
        raise HeavyStackError(f"{status.get('error')}: {status.get('message')}", code="demo_failed")
    answer: dict[str, Any] = json.loads(client.result(task_id))
    report = show_answer(console, answer)
    folder = settings.data_dir.resolve() / "demo" / task_id
    with zipfile.ZipFile(io.BytesIO(client.download(task_id))) as archive:
        archive.extractall(folder)
    page = f"{client.server}/tasks/{task_id}/result"
    console.print(f"\nanswered in {time.monotonic() - started:.0f} s", highlight=False)
    console.print(f".sql files: {folder}", highlight=False, soft_wrap=True)
    console.print(f"page:       {page}", highlight=False, soft_wrap=True)
    return report, page


@contextmanager
def _server(settings: Settings, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process group of its own, so that Ctrl-C reaches it once: through us."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = settings.data_dir / "server.log"
    command = [sys.executable, "-m", "heavy_stack", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("ab") as output:
        environment = {**os.environ, "HEAVY_LOG_FORMAT": "json"}
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_up(client: TaskClient, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while not client.is_up():
        if process.poll() is not None or time.monotonic() > end:
            raise HeavyStackError("the server did not start; see server.log in the data folder", code="demo_failed")
        time.sleep(0.1)


def _password(settings: Settings, process: subprocess.Popen[bytes]) -> str | None:
    end = time.monotonic() + START_S
    while (password := known_password(settings)) is None and process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    return password


def _password_file(settings: Settings) -> str:
    return "HEAVY_AUTH_PASSWORD" if settings.auth_password else str((settings.data_dir / "password").resolve())


def _free_port(settings: Settings) -> int:
    """The settings' port, or any other when somebody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", settings.port))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve_until_interrupt(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait()
    except KeyboardInterrupt:
        return
