"""The folders below data_dir/scratch where a task's design is built for measuring: gone when the task is over."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

_STALE_AFTER_S: Final = 3600.0
"""No run of a task lasts this long, so an older folder belongs to a worker that was killed."""


def remove_scratch(scratch_dir: Path, task_id: UUID) -> None:
    """Remove what a task built."""
    shutil.rmtree(scratch_dir / str(task_id), ignore_errors=True)


def remove_stale_scratch(scratch_dir: Path) -> None:
    """Remove what workers left behind that were killed after their task's last commit."""
    with suppress(FileNotFoundError):
        for folder in scratch_dir.iterdir():
            with suppress(OSError):
                if folder.is_dir() and folder.stat().st_mtime < time.time() - _STALE_AFTER_S:
                    shutil.rmtree(folder, ignore_errors=True)
