"""Tests of what worker and child say to each other."""

from __future__ import annotations

from multiprocessing import Pipe
from pathlib import Path
from threading import Thread

import pytest

from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.backend.jobs.link import SHARES, Committed, Job, Link, ProgressMade, StageDone, overall
from heavy_stack.shared_models.tasks import STAGES, Stage


class TestOverall:
    def test_shares_cover_every_stage_and_add_up_to_one(self) -> None:
        assert set(SHARES) == set(STAGES)
        assert sum(SHARES.values()) == pytest.approx(1.0)

    def test_progress_never_goes_back(self) -> None:
        seen = [overall(stage, done) for stage in STAGES for done in (0.0, 0.5, 1.0)]
        assert seen == sorted(seen)
        assert (seen[0], seen[-1]) == (0.0, pytest.approx(1.0))

    def test_a_stage_that_says_too_much_stays_within_its_share(self) -> None:
        assert overall(Stage.INGEST, 7.0) == overall(Stage.INGEST, 1.0)
        assert overall(Stage.PARSE, -1.0) == overall(Stage.PARSE, 0.0)


class TestLink:
    def test_hand_over_waits_for_the_workers_reply(self) -> None:
        ours, theirs = Pipe()
        thread = Thread(target=Link(theirs).hand_over, args=(Stage.PARSE, b"{}"))
        thread.start()
        assert ours.recv() == StageDone(Stage.PARSE, b"{}")
        thread.join(0.1)
        assert thread.is_alive()
        ours.send(Committed())
        thread.join(5)
        assert not thread.is_alive()

    def test_reports_the_task_as_a_whole_and_not_too_often(self) -> None:
        ours, theirs = Pipe()
        link = Link(theirs)
        link.enter(Stage.PARSE, "Parsing")
        for done in range(1000):
            link.report(done / 1000, "Parsing")
        theirs.close()
        reports = []
        while ours.poll():
            try:
                reports.append(ours.recv())
            except EOFError:
                break
        assert reports[0] == ProgressMade(overall(Stage.PARSE, 0.0), "Parsing")
        assert len(reports) < 10


class TestJob:
    def test_shows_neither_request_nor_credentials(self, tmp_path: Path) -> None:
        job = Job(
            "id", b"SECRET", {"password": "SECRET"}, {Stage.INGEST: b"SECRET"}, 60, 60, EngineOptions((), tmp_path)
        )
        assert "SECRET" not in repr(job)
