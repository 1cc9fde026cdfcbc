"""The bytes that a client gets."""

from __future__ import annotations

import json
import time
import tracemalloc

from heavy_stack.backend.advisor.artefacts import Answer, QueryEntry, from_json, to_json
from heavy_stack.backend.advisor.report import render_answer
from heavy_stack.shared_models.answers import AnswerView
from heavy_stack.shared_models.tasks import Stage
from tests.unit.backend.advisor.report.conftest import Task

TASK_ID = "0b7a2c1e-6a1c-4b58-8d0e-5d6d0f6f3a11"


class TestRenderAnswer:
    def test_the_contracts_keys_stand_at_the_top(self, task: Task) -> None:
        body = json.loads(render_answer(TASK_ID, task.answer()))
        assert body["ddl"][0] == {"statement": "CREATE SCHEMA lake.hs_1"}
        assert [list(item) for item in body["migrations"]] == [["statement"], ["statement"]]
        assert body["queries"][0] == {"queryid": "q1", "query": "rewritten 0"}
        assert [query["queryid"] for query in body["queries"]] == ["q1", "q2", "q3", "q4", "q5"]
        assert (body["taskid"], body["status"]) == (TASK_ID, "DONE")
        assert body["result"] == {"ok": True, "meta": {"tokens_used": 0}}
        assert body["meta"] == {"tokens_used": 0}
        assert body["report"]["score"]["x"] == 3.75

    def test_pages_can_read_it(self, task: Task) -> None:
        answer = task.answer()
        view = AnswerView.model_validate_json(render_answer(TASK_ID, answer))
        assert view.report == answer.report

    def test_the_stored_artefact_renders_the_same(self, task: Task) -> None:
        answer = task.answer()
        assert render_answer(TASK_ID, from_json(Stage.REPORT, to_json(answer))) == render_answer(TASK_ID, answer)

    def test_any_text_survives(self, task: Task) -> None:
        odd = 'a"\\\n\t\u2028é🙂\x01'
        answer = Answer((odd,), (odd,), ((odd, odd),), task.answer().report)
        body = json.loads(render_answer(TASK_ID, answer))
        assert body["queries"] == [{"queryid": odd, "query": odd}]
        assert body["ddl"] == body["migrations"] == [{"statement": odd}]

    def test_no_query_is_an_empty_list(self, task: Task) -> None:
        assert json.loads(render_answer(TASK_ID, Answer((), (), (), task.answer().report)))["queries"] == []

    def test_twenty_thousand_queries_are_written_in_little_time_and_memory(self, task: Task) -> None:
        text = "rewritten 0 " + "x" * 2000
        rewrite = task.rewrite.texts
        big = task.change("rewrite", texts=(type(rewrite[0])(0, text, rewrite[0].tables, ()), *rewrite[1:]))
        big = big.change("workload", queries=tuple(QueryEntry(f"q{i}", 0, 1) for i in range(20_000)))
        tracemalloc.start()
        started = time.perf_counter()
        body = render_answer(TASK_ID, big.answer())
        seconds = time.perf_counter() - started
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert 40_000_000 < len(body) < 45_000_000
        assert seconds < 10
        assert peak < len(body) + 60_000_000
