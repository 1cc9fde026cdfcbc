"""The `heavy-stack` command. Each subcommand is a file of this package.

Exit codes: 0 done · 1 the task or command failed · 2 wrong usage or input · 3 no server there · 4 time-out ·
5 could not be checked.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from heavy_stack.cli.database import app as database_app
from heavy_stack.cli.demo import app as dev_app
from heavy_stack.cli.doctor import doctor
from heavy_stack.cli.follow_ups import recheck, rewrite
from heavy_stack.cli.submit import getresult, poll_status, submit
from heavy_stack.errors import HeavyStackError, InputError, SettingsError
from heavy_stack.settings import load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(database_app, name="db", help="Database migrations.")
app.add_typer(dev_app, name="dev", help="The demo and helpers for developers.")
app.command()(submit)
app.command(name="poll-status")(poll_status)
app.command()(getresult)
app.command()(rewrite)
app.command()(recheck)
app.command()(doctor)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (HEAVY_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (HEAVY_PORT).")] = None,
) -> None:
    """Serve the API and the pages, with the managed worker processes."""
    from heavy_stack import main as web  # the web stack is only loaded by the command that serves

    overrides = {k: v for k, v in (("host", host), ("port", port)) if v is not None}
    web.serve(load_settings(**overrides))


@app.command()
def worker() -> None:
    """Run one worker process (beside a server that was started with HEAVY_WORKER_PROCESSES=0, or on another host)."""
    from heavy_stack import worker as jobs

    jobs.run(load_settings())


def main() -> None:
    """Entry point: expected errors become one line on stderr and an exit code."""
    try:
        app()
    except (SettingsError, InputError) as error:
        _complain(error)
        sys.exit(2)
    except HeavyStackError as error:
        _complain(error)
        sys.exit(1)


def _complain(error: HeavyStackError) -> None:
    Console(stderr=True).print(f"[bold red]{error.code}[/]: {error.message}", highlight=False, soft_wrap=True)
