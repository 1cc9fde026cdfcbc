"""Rebuilds the main database's tables from the migrations; every row is lost.

    python dev_scripts/pave_db.py [--yes]

The address is the service's own (HEAVY_DATABASE_URL and so on; docs/settings.md). A database with tables but without
this project's `alembic_version` is left alone.
"""

from __future__ import annotations

import argparse
import sys

from sqlalchemy import Connection, MetaData, inspect

from heavy_stack import bootstrap
from heavy_stack.errors import SettingsError
from heavy_stack.settings import load_settings


def main(arguments: list[str] | None = None) -> int:
    """Ask, drop, migrate. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Rebuild the main database's tables; every row is lost.")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    given = parser.parse_args(arguments)
    try:
        settings = load_settings()
        name = settings.database.render_as_string(hide_password=True)
        if not given.yes and input(f"Drop every table of {name}? [y/N] ").strip().lower() not in ("y", "yes"):
            print("Nothing was changed.")
            return 1
        dropped = bootstrap.on_connection(settings, drop_tables)
        bootstrap.migrate(settings)
    except SettingsError as error:
        print(error.message, file=sys.stderr)
        return 1
    print(f"{name}: dropped {dropped} tables, now at {bootstrap.current(settings)}")
    return 0


def drop_tables(connection: Connection) -> int:
    """Drop all tables, also those that no model knows any more; returns how many.

    Raises:
        SettingsError: They are not this project's.
    """
    names = set(inspect(connection).get_table_names())
    if names and "alembic_version" not in names:
        raise SettingsError("the database has tables that this project did not make; nothing was dropped")
    found = MetaData()
    found.reflect(connection)
    found.drop_all(connection)
    return len(names)


if __name__ == "__main__":
    sys.exit(main())
