"""Users."""

from sqlmodel import Field

from heavy_stack.backend.data.sql_models.base import HeavyModel


class SQLUser(HeavyModel, table=True):
    """A person or client. `external_id` is what an outside sign-in system calls them."""

    external_id: str | None = Field(default=None, unique=True)
    email: str | None = Field(default=None, unique=True)
    name: str | None = None
