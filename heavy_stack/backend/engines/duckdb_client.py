"""This side of an engine process: start it, ask it, time it, end it, and open it again after a kill."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from heavy_stack.backend.advisor.ports import RunFailed, RunTimeout
from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.backend.engines.processes import Starter

GRACE_S = 2.0  # the process interrupts itself at the limit; what does not answer by then is killed
OPEN_LIMIT_S = 120.0
MESSAGE_CHARS = 400

# What a result may hold; an engine process that was taken over cannot make this one build anything else.
_VALUE_TYPES = {
    ("builtins", "bytearray"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("decimal", "Decimal"),
    ("pytz", "_UTC"),
    ("uuid", "SafeUUID"),
    ("uuid", "UUID"),
}


@dataclass(frozen=True)
class Opening:
    """How a database comes to be; kept, so that a killed process can be replaced by an equal one. SQL is DuckDB's.

    Attributes:
        setup: (label, statement) run before the lock: ATTACH, CREATE SCHEMA, CREATE TABLE, CREATE VIEW.
        allowed: Folders that stay readable after the lock.
        load: (label, INSERT with parameters, their values), run without file access.
        design: (label, statement) run after the lock.
        limit_s, statement_limit_s: Seconds for all together, and for each statement of the design.
    """

    setup: tuple[tuple[str, str], ...] = ()
    allowed: tuple[str, ...] = ()
    load: tuple[tuple[str, str, list[Any]], ...] = ()
    design: tuple[tuple[str, str], ...] = ()
    limit_s: float = OPEN_LIMIT_S
    statement_limit_s: float = OPEN_LIMIT_S


class EngineProcess:
    """One DuckDB process. It starts when first asked, and again after it was killed.

    Args:
        options: Limits.
        temp_dir: A folder of its own for temporary files; removed by `close`.
        threads: Threads of DuckDB; default: the options'.
        starter: Starts the process; default: the thread that asks first, which then must not end before it.
    """

    def __init__(
        self, options: EngineOptions, temp_dir: Path, *, threads: int | None = None, starter: Starter | None = None
    ) -> None:
        self._options = options
        self._temp_dir = temp_dir
        self._threads = threads or options.threads
        self._starter = starter
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Connection | None = None
        self._lifeline: int | None = None
        self._opening: Opening | None = None
        self._is_open = False
        self.pid: int | None = None

    def open(self, opening: Opening) -> None:
        """Replace the process's database by a fresh one.

        Raises:
            RunFailed: A statement of the opening failed; the message starts with its label.
            RunTimeout: It took too long or too much memory.
        """
        self._opening = opening
        self._is_open = False
        self._ensure_open()

    def query(self, sql: str, *, limit_s: float, max_rows: int) -> tuple[list[str], list[tuple[Any, ...]], float, bool]:
        """(names, rows, seconds, truncated) of one SELECT in DuckDB's SQL.

        Raises:
            RunFailed, RunTimeout
        """
        reply = self._ask({"op": "query", "sql": sql, "limit_s": limit_s, "max_rows": max_rows}, limit_s)
        names, rows, seconds, truncated = reply
        return names, rows, seconds, truncated

    def time(self, sql: str, *, limit_s: float, repeat: int) -> list[float]:
        """Seconds of each run of one SELECT in DuckDB's SQL.

        Raises:
            RunFailed, RunTimeout
        """
        request = {"op": "time", "sql": sql, "limit_s": limit_s, "repeat": repeat}
        return [float(seconds) for seconds in self._ask(request, limit_s * repeat)]

    def copy(self, sql: str, path: Path, *, limit_s: float) -> tuple[int, float, dict[str, int]]:
        """Write a SELECT's rows to the Parquet file `path`, which must lie in an allowed folder.

        Returns:
            (rows, seconds, bytes by column)

        Raises:
            RunFailed, RunTimeout
        """
        request = {"op": "copy", "sql": sql, "path": str(path), "limit_s": limit_s}
        rows, seconds, sizes = self._ask(request, limit_s)
        return int(rows), float(seconds), sizes

    def close(self) -> None:
        """End the process and remove its temporary files; safe to call twice."""
        self._end()
        shutil.rmtree(self._temp_dir, ignore_errors=True)

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._process is not None and self._process.poll() is None

    def _ensure_open(self) -> None:
        if self._is_open and self.alive:
            return
        if self._opening is None:
            raise RunFailed("no database is open in this session")
        if not self.alive:
            self._end()
            self._start()
        request = {
            "op": "open",
            "config": self._config(),
            "setup": self._opening.setup,
            "allowed": [*self._opening.allowed, str(self._temp_dir)],
            "load": self._opening.load,
            "design": self._opening.design,
            "limit_s": self._opening.limit_s,
            "statement_limit_s": self._opening.statement_limit_s,
        }
        self._exchange(request, self._opening.limit_s)
        self._is_open = True

    def _config(self) -> dict[str, Any]:
        return {
            "threads": self._threads,
            "memory_limit": f"{self._options.memory_mb}MiB",
            "temp_directory": str(self._temp_dir),
            "max_temp_directory_size": f"{self._options.temp_mb}MiB",
            "TimeZone": "UTC",
            "enable_external_file_cache": False,  # a second run must pay for reading again
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,  # a table name must never become a Python variable
        }

    def _start(self) -> None:
        self._temp_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours, theirs = Pipe()
        read_end, write_end = os.pipe()
        command = [sys.executable, "-P", "-m", "heavy_stack.backend.engines.duckdb_process"]
        command += [str(theirs.fileno()), str(read_end), str(os.getpid()), str(self._options.process_memory_mb)]

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self._temp_dir,
                # Nothing of this process's environment: it may hold passwords and keys.
                env={"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "HOME": str(self._temp_dir), "TZ": "UTC"},
                pass_fds=(theirs.fileno(), read_end),
            )

        try:
            process = self._starter.run(start) if self._starter is not None else start()
        except OSError:
            ours.close()
            os.close(write_end)
            raise
        finally:
            theirs.close()
            os.close(read_end)
        self._process, self._channel, self._lifeline, self.pid = process, ours, write_end, process.pid

    def _end(self) -> None:
        self._is_open = False
        if self._channel is not None:
            self._channel.close()
        if self._lifeline is not None:
            os.close(self._lifeline)
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._channel = self._lifeline = self._process = self.pid = None

    def _ask(self, request: dict[str, Any], limit_s: float) -> Any:
        if limit_s <= 0:
            raise RunTimeout("no time was left")
        self._ensure_open()
        return self._exchange(request, limit_s)

    def _exchange(self, request: dict[str, Any], limit_s: float) -> Any:
        channel = self._channel
        if channel is None:
            raise RunTimeout("the engine process has ended")
        started = time.monotonic()
        try:
            channel.send_bytes(pickle.dumps(request, protocol=5))
            if not channel.poll(limit_s + GRACE_S):
                self._end()
                raise RunTimeout(f"ended after {time.monotonic() - started:.1f} s (limit {limit_s:g} s)")
            reply = _ValueReader(io.BytesIO(channel.recv_bytes())).load()
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self._end()
            raise RunTimeout("the engine process ended, most likely for its memory limit") from error
        if reply[0] == "ok":
            return reply[1]
        raise _failure(reply[1], reply[2], reply[3], limit_s)


class _ValueReader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _VALUE_TYPES:
            raise pickle.UnpicklingError(f"a result may not hold {module}.{name}")
        return super().find_class(module, name)


def _failure(kind: str, label: str, message: str, limit_s: float) -> RunFailed | RunTimeout:
    prefix = f"{label}: " if label else ""
    if kind == "timeout":
        # One statement of an opening has a limit of its own.
        return RunTimeout(f"{prefix}ended at its time limit" + ("" if label else f" of {limit_s:g} s"))
    if kind == "memory":
        return RunTimeout(f"{prefix}ended at its memory limit")
    return RunFailed(prefix + _first_lines(message))


def _first_lines(message: str) -> str:
    # DuckDB prints the statement below its message ("LINE 1: …"): leave that out.
    lines: Sequence[str] = [line for line in message.split("\n\nLINE ")[0].splitlines() if line.strip()]
    text = " ".join(lines)
    return text if len(text) <= MESSAGE_CHARS else text[: MESSAGE_CHARS - 1] + "…"
