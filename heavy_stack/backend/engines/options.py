"""What an engine adapter needs to know from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EngineOptions:
    """Limits and folders of the engines; picklable, since a task's child process gets it.

    Attributes:
        lake_roots: Absolute folders that `jdbc:duckdb:` may name.
        scratch_dir: Folder below which each task builds, in a folder of its own; never below a lake root.
        memory_mb: Memory that DuckDB may use, in MiB; more goes to temporary files.
        threads: Threads of DuckDB.
        trino_allow: `host:port` patterns of Trino servers that may be contacted.
        embedded: One machine, one person: loopback engines need not be named in `trino_allow`.
        process_memory_mb: Hard limit of an engine process's own memory, in MiB.
        temp_mb: Temporary files that one engine process may write, in MiB.
    """

    lake_roots: tuple[Path, ...]
    scratch_dir: Path
    memory_mb: int = 1024
    threads: int = 2
    trino_allow: tuple[str, ...] = ()
    embedded: bool = True
    process_memory_mb: int = 4096
    temp_mb: int = 8192
