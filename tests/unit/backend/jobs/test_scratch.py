"""Tests of the scratch folders' end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import uuid4

from heavy_stack.backend.jobs.scratch import remove_scratch, remove_stale_scratch


class TestRemoveScratch:
    def test_removes_one_tasks_folder_only(self, tmp_path: Path) -> None:
        mine, other = uuid4(), uuid4()
        for task_id in (mine, other):
            (tmp_path / str(task_id) / "deep").mkdir(parents=True)
            (tmp_path / str(task_id) / "deep" / "part.parquet").write_bytes(b"x")
        remove_scratch(tmp_path, mine)
        remove_scratch(tmp_path, mine)
        assert [path.name for path in tmp_path.iterdir()] == [str(other)]


class TestRemoveStaleScratch:
    def test_keeps_what_a_running_task_may_use(self, tmp_path: Path) -> None:
        old, new = tmp_path / str(uuid4()), tmp_path / str(uuid4())
        old.mkdir()
        new.mkdir()
        os.utime(old, (time.time() - 7200, time.time() - 7200))
        remove_stale_scratch(tmp_path)
        assert list(tmp_path.iterdir()) == [new]

    def test_a_service_without_scratch_has_nothing_to_remove(self, tmp_path: Path) -> None:
        remove_stale_scratch(tmp_path / "never made")
