"""Alembic's environment: for the `alembic` command, and for the service, which hands a connection in."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator

from heavy_stack.backend.data.sql_models import HeavyModel
from heavy_stack.bootstrap import on_connection
from heavy_stack.settings import load_settings


def _render_item(kind: str, item: Any, _autogen: Any) -> str | bool:
    # A migration must mean the same for ever, so it never names a type of this project or of SQLModel: what is stored
    # is written down.
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=HeavyModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=_render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    _run(handed_in)
else:
    on_connection(load_settings(), _run)
