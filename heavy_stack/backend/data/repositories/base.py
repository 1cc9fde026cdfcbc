"""SQLRepositoryBase: what every repository shares."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from heavy_stack.backend.data.db_connection import find_session
from heavy_stack.backend.data.sql_models.base import HeavyTable
from heavy_stack.backend.data.sql_models.column_types import UtcDateTime, utc_now
from heavy_stack.backend.data.unit_of_work import current_session
from heavy_stack.errors import NotFound

SQLModelT = TypeVar("SQLModelT", bound=HeavyTable)


class SQLRepositoryBase(Generic[SQLModelT]):
    """Queries of one table, on the current session. SQL models in and out; decisions are the managers'.

    Args:
        reader: An AUTOCOMMIT engine for `read_first` outside a unit of work; without one a unit of work is needed.
    """

    model: ClassVar[type[Any]]

    def __init__(self, reader: AsyncEngine | None = None) -> None:
        self._reader = reader

    @property
    def session(self) -> AsyncSession:
        """The current session.

        Raises:
            RuntimeError: No unit of work is open here; the message says where database access is allowed.
        """
        return current_session()

    async def run(self, statement: Any) -> Any:
        """Run one statement on the current session and return SQLAlchemy's result."""
        return await self.session.exec(statement)

    async def add(self, row: SQLModelT) -> SQLModelT:
        """Insert a row at once, so that a broken constraint shows here."""
        self.session.add(row)
        await self.session.flush()
        return row

    async def find(self, key: UUID | int) -> SQLModelT | None:
        """The row with that key, or None."""
        return cast("SQLModelT | None", await self.session.get(self.model, key))

    async def get(self, key: UUID | int) -> SQLModelT:
        """The row with that key.

        Raises:
            NotFound: There is none.
        """
        row = await self.find(key)
        if row is None:
            raise NotFound(f"there is no {self.model.__name__.removeprefix('SQL').lower()} with that id")
        return row

    async def read_first(self, statement: Any, **values: Any) -> Any:
        """The first row of a SELECT of columns, or None: on the current session, else on the AUTOCOMMIT engine.

        Entities cost several times as much as columns, and status polls come in the hundreds per second.

        Args:
            statement: The SELECT.
            values: Of its bound parameters.
        """
        if find_session() is None and self._reader is not None:
            async with self._reader.connect() as connection:
                return (await connection.execute(statement, values)).first()
        return (await self.session.exec(statement, params=values)).first()

    @property
    def on_postgresql(self) -> bool:
        """True when the current session talks to PostgreSQL."""
        bind = self.session.sync_session.bind
        return bind is not None and bind.dialect.name == "postgresql"

    def now(self, plus_s: float = 0.0) -> ColumnElement[Any]:
        """The database's clock plus some seconds, as an SQL expression: hosts' clocks differ, leases must not."""
        if self.on_postgresql:
            return func.clock_timestamp(type_=UtcDateTime()) + literal(timedelta(seconds=plus_s))
        return literal(utc_now() + timedelta(seconds=plus_s), UtcDateTime())
