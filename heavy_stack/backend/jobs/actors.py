"""The actors. They take ids and make one call; what is to be done stands in the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from dramatiq import Actor, Broker, actor

from heavy_stack.backend.jobs.broker import ADVANCE, QUEUE

Advance = Callable[[UUID], None]

LONGEST_BUDGET_S: Final = 720
_TIME_LIMIT_MS: Final = (LONGEST_BUDGET_S + 180) * 1000
"""Above every task's budget and its grace: the budget is kept by the task itself, this only ends what hangs."""


def declare(broker: Broker, advance: Advance | None = None) -> Actor[Any, Any]:
    """Register the actors on a broker.

    Args:
        broker: Any Dramatiq broker.
        advance: What `task.advance` calls. A process that only sends messages leaves it out.

    Returns:
        The actor `task.advance`.
    """

    @actor(actor_name=ADVANCE, queue_name=QUEUE, broker=broker, time_limit=_TIME_LIMIT_MS)
    def advance_task(task_id: str) -> None:
        if advance is None:
            raise RuntimeError("this process declares actors to send messages; it runs none")
        advance(UUID(task_id))

    return advance_task
