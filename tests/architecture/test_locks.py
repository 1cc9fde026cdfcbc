"""The lock files: complete, hashed, universal, and without addresses."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _pinned(file: str) -> dict[str, str]:
    lines = re.findall(r"^([A-Za-z0-9_.\[\]-]+)==(\S+)", (ROOT / file).read_text(), re.M)
    return {canonicalize_name(name.split("[")[0]): version for name, version in lines}


class TestLocks:
    @pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
    def test_lock_has_hashes_and_no_address(self, file: str) -> None:
        text = (ROOT / file).read_text()
        assert "://" not in text
        entries = re.split(r"\n(?=[A-Za-z0-9])", text)
        assert [e.split("\n")[0] for e in entries if "==" in e.split("\n")[0] and "--hash=sha256:" not in e] == []

    @pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
    def test_lock_fits_the_declared_dependencies(self, file: str) -> None:
        pinned = _pinned(file)
        declared = list(PROJECT["dependencies"])
        if file == "requirements-dev.lock":
            declared += [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
        for requirement in map(Requirement, declared):
            name = canonicalize_name(requirement.name)
            assert name in pinned, f"{name} is not in {file}: run `make lock`"
            assert requirement.specifier.contains(pinned[name], prereleases=True), f"{name} in {file}: run `make lock`"

    def test_both_locks_pin_the_same_versions(self) -> None:
        run, dev = _pinned("requirements.lock"), _pinned("requirements-dev.lock")
        assert {name: (version, dev.get(name)) for name, version in run.items() if dev.get(name) != version} == {}
