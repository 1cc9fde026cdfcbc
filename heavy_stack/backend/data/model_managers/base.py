"""BaseManager: what every manager shares."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from heavy_stack.backend.data.model_mungers.base import ModelMunger
from heavy_stack.backend.data.repositories.base import SQLRepositoryBase

RepositoryT = TypeVar("RepositoryT", bound=SQLRepositoryBase[Any])
MungerT = TypeVar("MungerT", bound=ModelMunger[Any, Any])


class BaseManager(Generic[RepositoryT, MungerT]):
    """The use cases around one model: asks its repository, decides, and returns shared models through its munger.

    Methods expect an open unit of work unless they say otherwise, and never commit.

    Args:
        repository: The queries of the manager's own table.
        munger: Its conversion to the shared model.
    """

    def __init__(self, repository: RepositoryT, munger: MungerT) -> None:
        self.repository = repository
        self.munger = munger
