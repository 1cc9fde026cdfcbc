"""Each rule: a documented class, a catalogue line, and fixtures that both rewrite and keep."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.rules import RULES
from tests.architecture.repository import ROOT

SECTIONS = ("Before", "After", "Safe when", "Never when", "Source")
FIXTURES = ROOT / "tests" / "fixtures" / "rules"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.id))
class TestRules:
    def test_docstring_has_every_section_in_order(self, rule: object) -> None:
        import importlib

        text = importlib.import_module(type(rule).__module__).__doc__ or ""
        places = [text.find(section) for section in SECTIONS]
        assert -1 not in places
        assert places == sorted(places)

    def test_fixtures_rewrite_and_keep(self, rule: object) -> None:
        cases = [path.name for path in (FIXTURES / str(rule.id)).iterdir() if path.is_dir()]  # type: ignore[attr-defined]
        assert sum(name.startswith("rewrites_") for name in cases) >= 2
        assert sum(name.startswith("keeps_") for name in cases) >= 2

    def test_file_is_named_like_the_rule(self, rule: object) -> None:
        assert type(rule).__module__.rsplit(".", 1)[1] == rule.id  # type: ignore[attr-defined]
