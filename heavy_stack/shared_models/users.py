"""Users as pages and the API see them."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict


class User(BaseModel):
    """A person or client that owns tasks."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    external_id: str | None = None
    email: str | None = None
    name: str | None = None
