"""Tests of what a child does with a task, with the real stages and no engine."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.backend.jobs.advise import run_job
from heavy_stack.backend.jobs.link import Finished, Job, Link
from heavy_stack.shared_models.tasks import STAGES, Stage

TASK = "0c7e5b8e-6f0e-4c53-9a55-3f2b8c8f1d11"
REQUEST = {
    "url": "jdbc:trino://nowhere.invalid:8080/lake/shop",
    "ddl": [{"statement": "CREATE TABLE lake.shop.sales (day date, store varchar, amount decimal(12,2))"}],
    "queries": [
        {
            "queryid": "q1",
            "query": "SELECT store, sum(amount) AS s FROM lake.shop.sales GROUP BY store",
            "runquantity": 9,
        },
        {"queryid": "q2", "query": "SELEC nothing", "runquantity": 1},
    ],
    "options": {},
}


class RecordingLink(Link):
    """Keeps what is handed over; everything is stored at once."""

    def __init__(self) -> None:
        self.committed: dict[Stage, bytes] = {}
        self.entered: list[Stage] = []

    def enter(self, stage: Stage, activity: str) -> None:
        self.entered.append(stage)
        self.stage = stage

    def report(self, done: float, activity: str) -> None:
        pass

    def hand_over(self, stage: Stage, artefact: bytes) -> None:
        self.committed[stage] = artefact


def a_job(folder: Path, artefacts: dict[Stage, bytes] | None = None, left_s: float = 60.0) -> Job:
    options = EngineOptions((folder / "lake",), folder / "scratch")
    return Job(TASK, json.dumps(REQUEST).encode(), None, artefacts or {}, 60.0, left_s, options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, RecordingLink]:
    """A run from the first stage to the last."""
    link = RecordingLink()
    return run_job(a_job(tmp_path_factory.mktemp("whole")), link), link


def answer_of(finished: Finished) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(gzip.decompress(finished.body_gzip))
    return answer


class TestRunJob:
    def test_hands_every_stage_over_in_order_and_answers(self, whole: tuple[Finished, RecordingLink]) -> None:
        finished, link = whole
        assert tuple(link.committed) == STAGES
        assert [query["queryid"] for query in answer_of(finished)["queries"]] == ["q1", "q2"]
        assert answer_of(finished)["taskid"] == TASK

    def test_says_how_long_the_stages_took(self, whole: tuple[Finished, RecordingLink]) -> None:
        seconds = answer_of(whole[0])["report"]["stage_seconds"]
        assert set(seconds) == {stage.value for stage in STAGES}
        assert all(value >= 0 for value in seconds.values())

    def test_goes_on_after_the_stages_that_are_there(
        self, tmp_path: Path, whole: tuple[Finished, RecordingLink]
    ) -> None:
        finished, link = whole
        again = RecordingLink()
        resumed = run_job(a_job(tmp_path, {stage: link.committed[stage] for stage in STAGES[:5]}), again)
        assert again.entered == list(STAGES[5:])
        assert answer_of(resumed)["queries"] == answer_of(finished)["queries"]
        assert not (tmp_path / "scratch" / TASK).exists()

    def test_a_whole_set_of_artefacts_only_needs_rendering(
        self, tmp_path: Path, whole: tuple[Finished, RecordingLink]
    ) -> None:
        finished, link = whole
        again = RecordingLink()
        assert run_job(a_job(tmp_path, link.committed), again) == finished
        assert again.entered == []

    def test_an_artefact_that_cannot_be_read_is_made_again_with_all_that_follow(
        self, tmp_path: Path, whole: tuple[Finished, RecordingLink]
    ) -> None:
        again = RecordingLink()
        run_job(a_job(tmp_path, whole[1].committed | {Stage.REWRITE: b'{"of": "old"}'}), again)
        assert again.entered == list(STAGES[5:])

    def test_with_the_budget_spent_there_is_still_an_answer(self, tmp_path: Path) -> None:
        finished = run_job(a_job(tmp_path, left_s=-1.0), RecordingLink())
        assert len(answer_of(finished)["queries"]) == 2
