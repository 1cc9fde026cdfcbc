"""Errors as answers."""

from __future__ import annotations

import pytest
from sanic.exceptions import MethodNotAllowed, PayloadTooLarge, SanicException
from sanic.exceptions import NotFound as NoRoute
from sqlalchemy.exc import OperationalError

from heavy_stack.backend.api.errors import describe
from heavy_stack.errors import Conflict, HeavyStackError, TaskFailed, WorkloadFormat


class TestDescribe:
    def test_an_error_of_ours_with_its_place(self) -> None:
        problem, headers = describe(WorkloadFormat("queries is missing.", context={"place": "queries"}), "/new")
        assert problem.model_dump() == {
            "type": "about:blank",
            "title": "Unprocessable Content",
            "status": 422,
            "detail": "queries is missing.",
            "code": "workload_format",
            "instance": "/new",
            "place": "queries",
        }
        assert headers["cache-control"] == "no-store"

    def test_a_state_word_does_not_hide_the_status(self) -> None:
        context = {"status": "RUNNING", "retry_after_s": 2}
        problem, headers = describe(Conflict("later", code="not_finished", context=context), "/getresult")
        shown = problem.model_dump()
        assert (shown["status"], shown["task_status"], shown["code"]) == (409, "RUNNING", "not_finished")
        assert headers["retry-after"] == "2"
        assert "retry_after_s" not in shown

    def test_a_failed_task_with_its_own_code(self) -> None:
        problem, _ = describe(TaskFailed("cancelled", code="cancelled"), "/getresult")
        assert (problem.status, problem.code) == (422, "cancelled")

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (NoRoute("Requested URL /secret not found"), 404, "not_found"),
            (PayloadTooLarge("x"), 413, "body_too_large"),
            (SanicException("secret", status_code=400), 400, "bad_request"),
            (SanicException("secret", status_code=503), 503, "unavailable"),
        ],
    )
    def test_an_error_of_sanic_in_our_words(self, error: SanicException, status: int, code: str) -> None:
        problem, _ = describe(error, "/x")
        assert (problem.status, problem.code) == (status, code)
        assert "secret" not in problem.detail

    def test_a_wrong_method_with_the_right_ones(self) -> None:
        problem, headers = describe(MethodNotAllowed("x", "GET", ["POST", "HEAD"]), "/new")
        assert problem.status == 405
        assert headers["allow"] == "HEAD, POST"
        assert problem.detail == "This address takes HEAD, POST."

    @pytest.mark.parametrize("error", [ValueError("pl4nted"), SanicException("pl4nted"), KeyError("pl4nted")])
    def test_anything_else_without_details(self, error: Exception) -> None:
        problem, _ = describe(error, "/x")
        shown = problem.model_dump_json()
        assert problem.status == 500
        assert "pl4nted" not in shown
        assert "Traceback" not in shown
        assert problem.model_dump()["incident"] in problem.detail

    @pytest.mark.parametrize("error", [OperationalError("SELECT pl4nted", {}, OSError()), ConnectionRefusedError()])
    def test_a_database_that_is_away_is_a_reason_to_come_back(self, error: Exception) -> None:
        problem, headers = describe(error, "/status")
        assert (problem.status, problem.code) == (503, "database_unavailable")
        assert "pl4nted" not in problem.model_dump_json()
        assert headers["retry-after"] == "5"

    def test_a_defect_of_ours_says_what_it_may(self) -> None:
        problem, _ = describe(HeavyStackError("the stage broke"), "/x")
        assert (problem.status, problem.detail) == (500, "the stage broke")
