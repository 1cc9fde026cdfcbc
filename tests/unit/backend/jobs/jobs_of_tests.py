"""What children do in tests of the pool; found by name in a new process."""

from __future__ import annotations

import subprocess
import sys
import time

from heavy_stack.backend.jobs.link import Finished, Job, Link
from heavy_stack.shared_models.tasks import Stage

_FOR_EVER = [sys.executable, "-c", "import time; time.sleep(600)"]


def answer(job: Job, link: Link) -> Finished:
    """Finish at once."""
    return Finished(job.request.upper(), "etag")


def hang(job: Job, link: Link) -> Finished:
    """Start a process of its own, say which, and never come back."""
    link.enter(Stage.VERIFY, str(subprocess.Popen(_FOR_EVER).pid))
    time.sleep(600)
    raise AssertionError("nobody waits that long")


def environment(job: Job, link: Link) -> Finished:
    """Tell what it can see of the worker's environment, and which heavy modules a child starts with."""
    import os

    names = [name for name in os.environ if name.startswith(("HEAVY_", "DATABASE_", "PG"))]
    modules = [name for name in ("sqlalchemy", "dramatiq", "sanic") if name in sys.modules]
    return Finished(" ".join(names + modules).encode(), "etag")


def hoard(job: Job, link: Link) -> Finished:
    """Take more memory than it may have."""
    link.enter(Stage.SELECT, "hoarding")
    kept = []
    while True:
        kept.append(bytearray(8 << 20))


def break_down(job: Job, link: Link) -> Finished:
    """Fail as a stage with a defect does, with data in the messages."""
    link.enter(Stage.PARSE, "breaking")
    try:
        raise KeyError("SELECT 'hunter2'")
    except KeyError as error:
        raise ValueError("hunter2") from error
