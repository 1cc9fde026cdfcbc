"""Queries of the users table."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from heavy_stack.backend.data.repositories.base import SQLRepositoryBase
from heavy_stack.backend.data.sql_models.users import SQLUser

_users = SQLUser.__table__  # type: ignore[attr-defined]


class UserRepository(SQLRepositoryBase[SQLUser]):
    """Queries of the users table."""

    model = SQLUser

    async def find_by_external_id(self, external_id: str) -> SQLUser | None:
        """The user whom an outside system calls that, or None."""
        row = await self.read_first(select(_users).where(_users.c.external_id == external_id))
        return None if row is None else SQLUser(**row._mapping)

    async def add_if_new(self, user: SQLUser) -> None:
        """Insert, unless somebody with that external id is there already, also from another process at this moment."""
        insert = (postgresql if self.on_postgresql else sqlite).insert(_users).values(**user.model_dump())
        await self.run(insert.on_conflict_do_nothing(index_elements=["external_id"]))
