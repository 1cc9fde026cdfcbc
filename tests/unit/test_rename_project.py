"""Renaming a small checkout: text, folders and settings, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rename_project import rename, spellings


def _checkout(folder: Path) -> Path:
    (folder / "heavy_stack").mkdir()
    (folder / "heavy_stack" / "main.py").write_text("from heavy_stack import x  # HEAVY_PORT of the Heavy Stack\n")
    (folder / "picture.bin").write_bytes(b"\xff\xfeheavy_stack")
    (folder / "other.txt").write_text("nothing to see\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    return folder


class TestRename:
    def test_replaces_every_spelling_and_moves_folders(self, tmp_path: Path) -> None:
        root = _checkout(tmp_path)
        changed = rename(root, "My App")
        assert (root / "my_app" / "main.py").read_text() == "from my_app import x  # MY_APP_PORT of the My App\n"
        assert not (root / "heavy_stack").exists()
        assert changed == [root / "my_app" / "main.py"]

    def test_keeps_binary_files_byte_for_byte(self, tmp_path: Path) -> None:
        root = _checkout(tmp_path)
        rename(root, "My App")
        assert (root / "picture.bin").read_bytes() == b"\xff\xfeheavy_stack"


class TestSpellings:
    @pytest.mark.parametrize("title", ["", "1st", "a/b", "two  spaces", "rm -rf"])
    def test_refuses_what_is_no_name(self, title: str) -> None:
        with pytest.raises(ValueError, match="words of letters"):
            spellings(title)
