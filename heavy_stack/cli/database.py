"""`db upgrade | downgrade | current | history`: Alembic on the settings' database, under the migration lock."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from heavy_stack import bootstrap
from heavy_stack.settings import load_settings

app = typer.Typer(no_args_is_help=True)


@app.command()
def upgrade(revision: Annotated[str, typer.Argument(help="Target revision.")] = "head") -> None:
    """Bring the database to a newer revision."""
    bootstrap.upgrade(load_settings(), revision)
    _show_current()


@app.command()
def downgrade(revision: Annotated[str, typer.Argument(help="Target revision, e.g. -1 or base.")]) -> None:
    """Take the database back to an older revision; rows of dropped tables are lost."""
    bootstrap.downgrade(load_settings(), revision)
    _show_current()


@app.command()
def current() -> None:
    """Print the database's revision."""
    _show_current()


@app.command()
def history() -> None:
    """Print all revisions, newest first."""
    for line in bootstrap.history(load_settings()):
        sys.stdout.write(line + "\n")


def _show_current() -> None:
    sys.stdout.write((bootstrap.current(load_settings()) or "(empty)") + "\n")
