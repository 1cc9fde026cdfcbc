"""Slows down guessing of passwords: an address with too many wrong ones has to wait before the next is looked at."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

MAX_FAILURES = 10
WINDOW_S = 60.0
# Addresses that are remembered; beyond it the oldest is forgotten, so memory stays bounded.
MAX_ADDRESSES = 10_000


class Throttle:
    """Counts wrong passwords by address, per process.

    Args:
        clock: Monotonic seconds; for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> int:
        """Seconds until that address may try again; 0 = now."""
        failures = self._recent(address)
        if failures is None or len(failures) < MAX_FAILURES:
            return 0
        return max(1, math.ceil(failures[0] + WINDOW_S - self._clock()))

    def failed(self, address: str) -> None:
        """A wrong password came from that address."""
        failures = self._failures.setdefault(address, deque(maxlen=MAX_FAILURES))
        failures.append(self._clock())
        self._failures.move_to_end(address)
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """The right password came from that address."""
        self._failures.pop(address, None)

    def _recent(self, address: str) -> deque[float] | None:
        failures = self._failures.get(address)
        if failures is None:
            return None
        while failures and failures[0] + WINDOW_S <= self._clock():
            failures.popleft()
        if not failures:
            del self._failures[address]
            return None
        return failures
