"""Two calls at a time, for two cores: Python makes and compares rows for one while the engine answers the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 2
AHEAD = 3
"""Calls begun before the first one's result is taken: one more, so that a long one keeps nobody waiting."""


def side_by_side(calls: Iterable[Callable[[], T]], ahead: int = AHEAD) -> Iterator[T]:
    """The results of the calls, in their order.

    Each next call is asked for only when there is room, so `calls` may decide late, by the results so far or the time.
    """
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="verify") as pool:
        try:
            for call in calls:
                waiting.append(pool.submit(call))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
