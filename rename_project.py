"""Renames the project: `python rename_project.py "My App"` (asks when no name is given).

Replaces the four spellings of the name in every text file that git knows, and renames files and folders that carry it:
`heavy_stack` (package), `heavy-stack` (command, distribution), `Heavy Stack` (title), `HEAVY_` (settings). Run it on a
clean checkout; `git diff` shows what it did and `git checkout . && git clean -fd` undoes it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?: [A-Za-z0-9]+)*")


def spellings(title: str) -> dict[str, str]:
    """Old spelling → new spelling, for a title such as `My App`.

    Raises:
        ValueError: The title is not words of letters and digits.
    """
    if not NAME.fullmatch(title):
        raise ValueError("the name must be words of letters and digits, separated by single spaces, e.g. My App")
    words = title.lower().split()
    return {
        "heavy_stack": "_".join(words),
        "heavy-stack": "-".join(words),
        "Heavy Stack": title,
        "HEAVY_STACK": "_".join(words).upper(),
        "HEAVY_": "_".join(words).upper() + "_",
    }


def rename_text(text: str, names: dict[str, str]) -> str:
    """The text with every spelling replaced, longest first."""
    pattern = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)))
    return pattern.sub(lambda match: names[match.group()], text)


def rename(root: Path, title: str) -> list[Path]:
    """Rename the checkout at `root`; returns the files that changed (their new paths)."""
    names = spellings(title)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    changed = []
    for name in filter(None, listed.split("\0")):
        old = root / name
        if old.name == Path(__file__).name or not old.is_file() or "vendor" in old.parts:
            continue
        new = root / rename_text(name, names)
        try:
            text = old.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            text = None
        replaced = None if text is None else rename_text(text, names)
        if new == old and replaced == text:
            continue
        new.parent.mkdir(parents=True, exist_ok=True)
        if replaced is not None and replaced != text:
            old.write_bytes(replaced.encode("utf-8"))
        if new != old:
            old.rename(new)
        changed.append(new)
    for folder in sorted((path for path in root.rglob("*heavy_stack*") if path.is_dir()), reverse=True):
        if not any(path.is_file() and path.suffix != ".pyc" for path in folder.rglob("*")):
            _remove_empty(folder)
    return changed


def _remove_empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def main() -> int:
    """Command line."""
    title = " ".join(sys.argv[1:]) or input("New name of the project, e.g. My App: ").strip()
    try:
        changed = rename(ROOT, title)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(
        f"{len(changed)} files changed. Next: make clean test, then commit; remove rename_project.py when happy.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
