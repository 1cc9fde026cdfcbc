"""The bridge as the server imports it, and its resident half against a stand-in for the browser's page."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from reactpy_bridge import called_from_reactpy, find_allowed, resident, target_of


@called_from_reactpy
def double(number: int) -> int:
    """Twice the number."""
    return number * 2


@called_from_reactpy
def large() -> str:
    """More than the bridge carries."""
    return "x" * 40_000


def unmarked() -> int:
    """Not for the server."""
    return 1


class FakePage:
    """The page's bridge element and reply field."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.replies: list[Any] = []
        self.field = SimpleNamespace(
            value="", dispatchEvent=lambda event: self.replies.append(json.loads(self.field.value))
        )

    def select_one(self, selector: str) -> Any:
        return SimpleNamespace(attrs={"data-calls": json.dumps(self.calls)})

    def __getitem__(self, name: str) -> Any:
        return self.field


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> FakePage:
    """A stand-in for the browser's page."""
    page = FakePage()
    monkeypatch.setattr(resident, "document", page)
    monkeypatch.setattr(resident, "window", SimpleNamespace(Event=SimpleNamespace(new=lambda *_: None)))
    monkeypatch.setattr(resident, "_seen", set())
    return page


class TestCalledFromReactpy:
    def test_it_returns_the_function_itself(self) -> None:
        assert double(number=2) == 4

    def test_only_marked_functions_are_found(self) -> None:
        assert find_allowed(target_of(double)) is double
        assert find_allowed(target_of(unmarked)) is None

    def test_nothing_of_the_browser_is_imported_on_the_server(self) -> None:
        assert "browser" not in sys.modules


class TestRunPending:
    def test_it_runs_each_call_once_and_answers(self, page: FakePage) -> None:
        page.calls = [["a", target_of(double), {"number": 21}]]
        resident.run_pending()
        resident.run_pending()
        assert page.replies == [["a", True, 42]]

    def test_an_unmarked_function_is_refused(self, page: FakePage) -> None:
        page.calls = [["a", target_of(unmarked), {}], ["b", "os:getcwd", {}]]
        resident.run_pending()
        assert [reply[1] for reply in page.replies] == [False, False]
        assert "not marked" in page.replies[1][2]

    def test_an_error_goes_back_to_the_server(self, page: FakePage) -> None:
        page.calls = [["a", target_of(double), {"wrong": 1}]]
        resident.run_pending()
        assert page.replies[0][:2] == ["a", False]

    def test_an_answer_that_is_too_large_becomes_an_error(self, page: FakePage) -> None:
        page.calls = [["a", target_of(large), {}]]
        resident.run_pending()
        assert page.replies[0][:2] == ["a", False]


class TestPackages:
    def test_there_is_no_package_that_would_hide_brython(self) -> None:
        import brython

        assert "site-packages" in str(brython.__file__)
