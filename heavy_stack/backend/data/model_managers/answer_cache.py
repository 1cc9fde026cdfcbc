"""Finished answers kept in memory, by bytes."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from heavy_stack.shared_models.tasks import StoredAnswer

# What one web process may spend on answers; an answer larger than this is never kept.
DEFAULT_MAX_BYTES = 64 * 1024 * 1024


class AnswerCache:
    """The answers that were asked for last. They never change, so an entry is never stale; owners are part of the key.

    Args:
        max_bytes: Sum of the kept bodies' sizes.
    """

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._answers: OrderedDict[tuple[UUID, UUID], StoredAnswer] = OrderedDict()

    def find(self, owner_id: UUID, task_id: UUID) -> StoredAnswer | None:
        """The owner's answer, or None."""
        answer = self._answers.get((owner_id, task_id))
        if answer is not None:
            self._answers.move_to_end((owner_id, task_id))
        return answer

    def keep(self, owner_id: UUID, task_id: UUID, answer: StoredAnswer) -> None:
        """Remember an answer and forget the oldest ones that no longer fit."""
        size = len(answer.body_gzip)
        if size > self._max_bytes or (owner_id, task_id) in self._answers:
            return
        self._answers[owner_id, task_id] = answer
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= len(oldest.body_gzip)
