"""ModelMunger: pure conversion between the stored form and the shared form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, TypeVar

from pydantic import BaseModel

from heavy_stack.backend.data.sql_models.base import HeavyTable

SQLModelT = TypeVar("SQLModelT", bound=HeavyTable)
SharedModelT = TypeVar("SharedModelT", bound=BaseModel)


class ModelMunger(ABC, Generic[SQLModelT, SharedModelT]):
    """Turns what an operation returned (usually an SQL model) into a shared model. No database, no clock, no state."""

    @abstractmethod
    def to_shared(self, row: SQLModelT) -> SharedModelT:
        """The shared model of one row."""

    def to_shared_list(self, rows: Iterable[SQLModelT]) -> list[SharedModelT]:
        """The shared models of rows, in their order."""
        return [self.to_shared(row) for row in rows]
