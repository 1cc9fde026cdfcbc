"""The repository as data: where it is, and which files belong to it."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked_files() -> tuple[Path, ...]:
    """Files that git tracks or would track, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return tuple(Path(name) for name in names if name and (ROOT / name).is_file())


def python_modules(*folders: str) -> list[Path]:
    """Tracked Python files below the folders."""
    return [path for path in tracked_files() if path.suffix == ".py" and path.parts[0] in folders]


def text_of(path: Path) -> str:
    """A tracked file's text."""
    return (ROOT / path).read_text(encoding="utf-8")
