"""`doctor`: is everything here that this form of the service needs?"""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import URL

from heavy_stack import bootstrap
from heavy_stack.errors import HeavyStackError
from heavy_stack.settings import Settings, load_settings, resource_dir

MIN_FREE_BYTES = 2 * 10**9
Check = tuple[str, Callable[[Settings], str]]


class _Bad(Exception):
    """A check failed; the message says what to do."""


def doctor() -> None:
    """Check Python, packages, folders, database and port; exits 1 when something is missing."""
    settings = load_settings()
    table = Table(header_style="bold")
    table.add_column("check")
    table.add_column("", no_wrap=True)
    table.add_column("finding", overflow="fold")
    bad = 0
    for name, check in _CHECKS:
        try:
            table.add_row(name, "[green]ok[/]", check(settings))
        except _Bad as error:
            bad += 1
            table.add_row(name, "[red]bad[/]", str(error))
    Console().print(table)
    if bad:
        raise typer.Exit(1)


def _python(_settings: Settings) -> str:
    return sys.version.split()[0]


def _packages(_settings: Settings) -> str:
    names = ("sanic", "reactpy", "brython", "sqlmodel", "dramatiq", "duckdb", "sqlglot")
    return ", ".join(f"{name} {version(name)}" for name in names)


def _resources(_settings: Settings) -> str:
    for folder in (resource_dir("alembic"), resource_dir("static")):
        if not folder.is_dir():
            raise _Bad(f"{folder} is missing; install the project again")
    return "migrations and static files are there"


def _form(settings: Settings) -> str:
    kind = "embedded (SQLite, one host)" if settings.embedded else settings.database.get_backend_name()
    return f"{kind}; database address from {settings.database_source}"


def _data_dir(settings: Settings) -> str:
    folder = settings.data_dir.resolve()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < MIN_FREE_BYTES:
        raise _Bad(f"{folder}: only {free / 1e9:.1f} GB free; 2 GB are needed")
    return f"{folder}: {free / 1e9:.0f} GB free"


def _database(settings: Settings) -> str:
    url: URL = settings.database
    if settings.is_sqlite and url.database and not Path(url.database).exists():
        return "not made yet; `serve` and `db upgrade` make it"
    try:
        revision = bootstrap.current(settings)
    except (HeavyStackError, OSError) as error:
        raise _Bad(f"cannot be read: {getattr(error, 'message', type(error).__name__)}") from None
    head = bootstrap.head()
    if revision != head:
        raise _Bad(f"at revision {revision or '(empty)'}, code is at {head}: run `heavy-stack db upgrade`")
    return f"at revision {revision}"


def _port(settings: Settings) -> str:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return f"{settings.host}:{settings.port} is in use (by a running server, or choose HEAVY_PORT)"
    return f"{settings.host}:{settings.port} is free"


def _engine(_settings: Settings) -> str:
    import duckdb

    if duckdb.connect().execute("SELECT 42").fetchone() != (42,):
        raise _Bad("DuckDB does not answer")
    return f"DuckDB {duckdb.__version__} answers"


def _lakes(settings: Settings) -> str:
    missing = [str(path) for path in settings.lakes if not path.is_dir()]
    return f"no folder yet: {', '.join(missing)}" if missing else ", ".join(str(path) for path in settings.lakes)


_CHECKS: tuple[Check, ...] = (
    ("Python", _python),
    ("packages", _packages),
    ("files", _resources),
    ("form", _form),
    ("data folder", _data_dir),
    ("database", _database),
    ("port", _port),
    ("engine", _engine),
    ("lake folders", _lakes),
)
