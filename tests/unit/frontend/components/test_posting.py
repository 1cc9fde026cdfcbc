"""What the browser reports about something that it posted."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from heavy_stack.frontend.components.posting import read_answer

TASK = "12345678-1234-5678-1234-567812345678"


class TestReadAnswer:
    def test_a_stored_task_is_named(self) -> None:
        assert read_answer(json.dumps([200, "http://x/new", json.dumps({"taskid": TASK})])) == (UUID(TASK), None)

    def test_an_uploaded_file_was_redirected_there(self) -> None:
        assert read_answer(json.dumps([200, f"http://x/tasks/{TASK}", "<html>"])) == (UUID(TASK), None)

    @pytest.mark.parametrize("url", ["https://evil.example/tasks/1", "javascript:alert(1)", "//evil.example/", ""])
    def test_another_address_is_no_task(self, url: str) -> None:
        task, refusal = read_answer(json.dumps([200, url, ""]))
        assert task is None
        assert refusal is not None

    def test_a_task_id_that_is_no_id_is_not_followed(self) -> None:
        task, _ = read_answer(json.dumps([200, "", json.dumps({"taskid": "../../evil"})]))
        assert task is None

    def test_the_servers_words_are_shown_with_their_code_and_place(self) -> None:
        body = json.dumps({"detail": "queries[3].queryid is a number.", "code": "workload_format"})
        _, refusal = read_answer(json.dumps([422, "http://x/new", body]))
        assert refusal is not None
        assert (refusal.message, refusal.code) == ("queries[3].queryid is a number.", "workload_format")

    @pytest.mark.parametrize(("status", "word"), [(0, "reached"), (413, "larger"), (401, "session"), (500, "500")])
    def test_without_words_the_status_speaks(self, status: int, word: str) -> None:
        _, refusal = read_answer(json.dumps([status, "", ""]))
        assert refusal is not None
        assert word in refusal.message

    @pytest.mark.parametrize("value", [None, 5, "", "[", "[1]", '{"a": 1}', '[200, 7, ["x"]]'])
    def test_nonsense_from_the_client_is_a_refusal(self, value: object) -> None:
        task, refusal = read_answer(value)
        assert task is None
        assert refusal is not None
