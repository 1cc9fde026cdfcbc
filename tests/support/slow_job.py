"""Jobs for children in tests: the real eight stages' names, none of their work. Options of the task steer them."""

from __future__ import annotations

import gzip
import json
import os
import time

from heavy_stack.backend.jobs.link import Finished, Job, Link
from heavy_stack.errors import EngineUnavailable, HeavyStackError
from heavy_stack.shared_models.tasks import STAGES


def run_job(job: Job, link: Link) -> Finished:
    """Each remaining stage does what the request's first query says, as JSON: {"verify": "slow", "slow_s": 2.0}."""
    wish = json.loads(json.loads(job.request)["queries"][0]["query"])
    for stage in STAGES:
        if stage in job.artefacts:
            continue
        link.enter(stage, f"{stage.value} by {os.getpid()}")
        _behave(wish, stage.value, job)
        link.hand_over(stage, json.dumps({"stage": stage.value, "pid": os.getpid()}).encode())
    body = json.dumps({"taskid": job.task_id, "pid": os.getpid(), "left_s": job.left_s}).encode()
    return Finished(gzip.compress(body, mtime=0), "etag-of-a-test")


def _behave(wish: dict[str, object], stage: str, job: Job) -> None:
    what = wish.get(stage)
    if what == "die" or what == "die_once" and not _seen(job, "died"):
        os.kill(os.getpid(), 9)
    elif what == "memory" or (what == "memory_once" and not _seen(job, "memory")):
        hoard = []
        while True:
            hoard.append(bytearray(16 << 20))
    elif what == "defect":
        raise ValueError(f"secret literal 'hunter2' in {stage}")
    elif what == "refuse":
        raise HeavyStackError("The DDL is no DDL.", code="sql_syntax")
    elif what == "away" or (what == "away_once" and not _seen(job, "away")):
        raise EngineUnavailable("The engine is away.")
    elif what == "hang" and job.left_s > 0:
        time.sleep(3600)
    elif what == "slow":
        time.sleep(float(str(wish.get("slow_s", 2.0))))


def _seen(job: Job, mark: str) -> bool:
    path = job.engine.scratch_dir.parent / f"{job.task_id}.{mark}"
    seen = path.exists()
    path.touch()
    return seen
