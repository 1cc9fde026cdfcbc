"""The child process of a worker: imports what a task needs while it waits, runs one job, and is thrown away.

It is started as a fresh interpreter with one connection and a pipe as its standard input that only the worker holds
open. It has no database, no settings and none of the worker's environment variables that may hold secrets.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from heavy_stack.backend.engines.processes import die_with_parent
from heavy_stack.backend.jobs.link import Broken, Ending, Job, Link, OutOfMemory, Refused, Target
from heavy_stack.errors import HeavyStackError

COMMAND = "from heavy_stack.backend.jobs.child import main; main()"
_NICE = 5  # a stage may use every core; the web processes beside it must stay quick
_STANDARD_INPUT = 0


def main() -> None:
    """Entry point of the process; arguments: connection, parent, memory limit in MiB, target."""
    descriptor, parent, memory_mb, target_name = sys.argv[1:5]
    die_with_parent(lifeline=_STANDARD_INPUT, parent=int(parent))
    os.setpgid(0, 0)  # the worker ends this process and all that it started with one signal to the group
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's to deal with
    os.nice(_NICE)
    faulthandler.enable()
    os.set_inheritable(int(descriptor), False)
    connection: Connection[Any, Any] = Connection(int(descriptor))
    target = _load(target_name)
    with suppress(EOFError, OSError):  # the worker ended us, or ended itself
        job: Job = connection.recv()
        connection.send(_run(target, job, Link(connection), int(memory_mb)))
        connection.recv()  # stay until the worker has read everything and ends us


def _load(name: str) -> Target:
    module, _, function = name.partition(":")
    target: Target = getattr(import_module(module), function)
    return target


def _run(target: Target, job: Job, link: Link, memory_mb: int) -> Ending:
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    # Private writable memory only: mapped files and reserved address space do not count. The hard limit stays, so
    # that an engine process below us can be given a limit of its own.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, hard))
    try:
        return target(job, link)
    except MemoryError:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        return OutOfMemory(link.stage)
    except HeavyStackError as error:
        return Refused(error.code, error.message, error.retryable)
    except (BrokenPipeError, ConnectionResetError, EOFError):
        raise
    except Exception as error:  # the edge of a task: whatever a stage raises ends this task only
        return Broken(link.stage, type(error).__name__, _frames(error))


def _frames(error: BaseException) -> tuple[str, ...]:
    """Where it happened, cause by cause, without messages and values: those quote SQL and data."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < 100:
        lines.append(type(seen).__name__)
        lines += [f"  {f.filename}:{f.lineno} in {f.name}" for f in traceback.extract_tb(seen.__traceback__)[-25:]]
        seen = seen.__cause__ or seen.__context__
    return tuple(lines)
