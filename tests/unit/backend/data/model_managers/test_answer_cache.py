"""AnswerCache."""

from __future__ import annotations

from uuid import UUID

from heavy_stack.backend.data.model_managers.answer_cache import AnswerCache
from heavy_stack.shared_models.tasks import StoredAnswer

OWNER, OTHER = UUID(int=1), UUID(int=2)


def answer(size: int) -> StoredAnswer:
    return StoredAnswer(body_gzip=b"x" * size, etag="e")


class TestAnswerCache:
    def test_keeps_no_more_bytes_than_allowed(self) -> None:
        cache = AnswerCache(max_bytes=100)
        for number in range(5):
            cache.keep(OWNER, UUID(int=number), answer(40))
        assert [number for number in range(5) if cache.find(OWNER, UUID(int=number))] == [3, 4]

    def test_forgets_what_was_not_asked_for_longest(self) -> None:
        cache = AnswerCache(max_bytes=100)
        cache.keep(OWNER, UUID(int=1), answer(40))
        cache.keep(OWNER, UUID(int=2), answer(40))
        cache.find(OWNER, UUID(int=1))
        cache.keep(OWNER, UUID(int=3), answer(40))
        assert cache.find(OWNER, UUID(int=1)) is not None
        assert cache.find(OWNER, UUID(int=2)) is None

    def test_never_keeps_what_is_too_large(self) -> None:
        cache = AnswerCache(max_bytes=100)
        cache.keep(OWNER, UUID(int=1), answer(10))
        cache.keep(OWNER, UUID(int=2), answer(101))
        assert cache.find(OWNER, UUID(int=2)) is None
        assert cache.find(OWNER, UUID(int=1)) is not None

    def test_the_same_answer_counts_once(self) -> None:
        cache = AnswerCache(max_bytes=100)
        for _ in range(9):
            cache.keep(OWNER, UUID(int=1), answer(40))
        cache.keep(OWNER, UUID(int=2), answer(40))
        assert cache.find(OWNER, UUID(int=1)) is not None

    def test_answers_belong_to_their_owner(self) -> None:
        cache = AnswerCache()
        cache.keep(OWNER, UUID(int=1), answer(1))
        assert cache.find(OTHER, UUID(int=1)) is None
