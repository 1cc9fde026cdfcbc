"""The task's id, local paths, and what a client accepts."""

from __future__ import annotations

from uuid import UUID

import pytest

from heavy_stack.backend.api.answers import accepts_gzip, answer_response
from heavy_stack.backend.api.next_path import local_path
from heavy_stack.backend.api.request_reading import task_id_of
from heavy_stack.errors import InputError, NotFound
from heavy_stack.shared_models.tasks import StoredAnswer

ID = "9d8edbee-5f4a-4259-bd5e-151dfa9d7742"


class TestTaskIdOf:
    @pytest.mark.parametrize(
        "query",
        [
            f"task_id={ID}",
            f"taskid={ID}",
            ID,
            f"{ID}=",
            f"x=1&task_id={ID}",
            f"x=1&{ID}",
            ID.replace("-", "%2D"),
            ID.upper(),
        ],
    )
    def test_reads_every_spelling(self, query: str) -> None:
        assert task_id_of(query) == UUID(ID)

    @pytest.mark.parametrize("query", ["", "x=1", "&&", "=x"])
    def test_says_that_it_is_missing(self, query: str) -> None:
        with pytest.raises(InputError) as caught:
            task_id_of(query)
        assert caught.value.status == 400

    @pytest.mark.parametrize(
        "query", ["task_id=", "task_id=x", "taskid=1", "abc", f"task_id={{{ID}}}", f"urn:uuid:{ID}"]
    )
    def test_what_is_no_id_is_no_task(self, query: str) -> None:
        with pytest.raises(NotFound):
            task_id_of(query)


class TestLocalPath:
    @pytest.mark.parametrize("path", ["/", "/tasks/1", "/tasks/1?a=b&c=d#e", "/a//b", "/%2F/evil"])
    def test_keeps_paths_of_ours(self, path: str) -> None:
        assert local_path(path) == path

    @pytest.mark.parametrize(
        "path",
        [
            *(
                None,
                "",
                "tasks",
                "//evil.example",
                "///evil.example",
                "/\\evil.example",
                "/a\\..\\b",
                "\\\\evil.example",
            ),
            *(
                "https://evil.example",
                "javascript:alert(1)",
                "/\t/evil.example",
                "/\n/evil",
                "/\r\nSet-Cookie: x",
                " //x",
            ),
            *("/\x00", "/ x", "/" + "x" * 3000, "/\u2028x"),
        ],
    )
    def test_leads_nowhere_else(self, path: str | None) -> None:
        assert local_path(path) == "/"


class TestAcceptsGzip:
    @pytest.mark.parametrize(
        ("header", "accepted"),
        [
            (None, False),
            ("", False),
            ("gzip", True),
            ("br, GZIP;q=0.5", True),
            ("gzip;q=0", False),
            ("gzip; q=0.000, *", False),
            ("*", True),
            ("identity", False),
            ("*;q=0", False),
        ],
    )
    def test_reads_the_header(self, header: str | None, accepted: bool) -> None:
        assert accepts_gzip(header) is accepted


class TestAnswerResponse:
    ANSWER = StoredAnswer(body_gzip=__import__("gzip").compress(b'{"ddl":[]}'), etag="abc")

    async def test_sends_the_stored_bytes_to_who_can_unpack_them(self) -> None:
        response = await answer_response(self.ANSWER, {"accept-encoding": "gzip"})
        assert response.body == self.ANSWER.body_gzip
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["etag"] == '"abc-gzip"'

    async def test_unpacks_them_for_others(self) -> None:
        response = await answer_response(self.ANSWER, {})
        assert response.body == b'{"ddl":[]}'
        assert "content-encoding" not in response.headers
        assert response.headers["etag"] == '"abc"'

    @pytest.mark.parametrize("tag", ['"abc"', '"abc-gzip"', 'W/"abc"', '"x", "abc"', "*"])
    async def test_says_nothing_twice(self, tag: str) -> None:
        response = await answer_response(self.ANSWER, {"if-none-match": tag})
        assert response.status == 304
        assert response.body == b""

    async def test_sends_it_to_who_has_another(self) -> None:
        assert (await answer_response(self.ANSWER, {"if-none-match": '"other", abc'})).status == 200
