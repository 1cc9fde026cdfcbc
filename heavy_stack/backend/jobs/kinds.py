"""What a child does with each kind of task. A new kind: a function here, a word in `TaskKind`.

Importing this module loads everything that a task needs; workers never do, children do it while they wait.
"""

from __future__ import annotations

from heavy_stack.backend.jobs import advise, recheck
from heavy_stack.backend.jobs.link import Finished, Job, Link, Target
from heavy_stack.errors import InputError
from heavy_stack.shared_models.tasks import TaskKind

KINDS: dict[str, Target] = {
    TaskKind.ADVISE: advise.run_job,
    TaskKind.RECHECK: recheck.run_job,
}


def run_job(job: Job, link: Link) -> Finished:
    """Do what the job's kind says.

    Raises:
        HeavyStackError: The task ends with this code and message.
    """
    target = KINDS.get(job.kind)
    if target is None:  # stored by a newer version that shares the database
        raise InputError(f"this version knows no task of the kind {job.kind!r}", code="unknown_kind")
    return target(job, link)
