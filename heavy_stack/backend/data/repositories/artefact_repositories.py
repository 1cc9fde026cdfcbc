"""Artefacts: packed bytes by task and name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select

from heavy_stack.backend.data.repositories.base import SQLRepositoryBase
from heavy_stack.backend.data.sql_models.artefacts import REQUEST, SQLArtefact

_artefacts = SQLArtefact.__table__  # type: ignore[attr-defined]


class ArtefactRepository(SQLRepositoryBase[SQLArtefact]):
    """Queries of the artefacts table."""

    model = SQLArtefact

    async def put(self, artefact: SQLArtefact) -> None:
        """Store an artefact; one of the same name (a stage that ran again) is replaced."""
        await self.run(
            delete(_artefacts).where(_artefacts.c.task_id == artefact.task_id, _artefacts.c.name == artefact.name)
        )
        await self.put_new(artefact)

    async def put_new(self, artefact: SQLArtefact) -> None:
        """Store the first artefact of that name."""
        await self.run(insert(_artefacts).values(**artefact.model_dump()))

    async def find_named(self, task_id: UUID, name: str) -> Any:
        """Row of (encoding, version, content, etag), or None."""
        a = _artefacts.c
        return await self.read_first(
            select(a.encoding, a.version, a.content, a.etag).where(a.task_id == task_id, a.name == name)
        )

    async def list_all(self, task_id: UUID, *, without: str) -> Sequence[SQLArtefact]:
        """Every artefact of a task but the one named."""
        query = select(_artefacts).where(_artefacts.c.task_id == task_id, _artefacts.c.name != without)
        return [SQLArtefact(**row._mapping) for row in await self.run(query)]

    async def delete_made(self, task_id: UUID) -> None:
        """Delete what the stages made; the request stays."""
        await self.run(delete(_artefacts).where(_artefacts.c.task_id == task_id, _artefacts.c.name != REQUEST))
