"""URL → page."""

from __future__ import annotations

from uuid import UUID

import pytest

from heavy_stack.frontend.routes import PAGES, find_page

TASK = UUID("12345678-1234-5678-1234-567812345678")


class TestFindPage:
    @pytest.mark.parametrize(
        ("path", "title", "task_id"),
        [("/", "New task", None), (f"/tasks/{TASK}", "Task", TASK), (f"/tasks/{TASK}/result", "Result", TASK)],
    )
    def test_each_page_is_found_with_its_task(self, path: str, title: str, task_id: UUID | None) -> None:
        found = find_page(path)
        assert found is not None
        assert (found[0].title, found[1]) == (title, task_id)

    @pytest.mark.parametrize(
        "path", ["/tasks", "/tasks/7", f"/tasks/{TASK}/results", f"/tasks/{TASK}/result/x", "/result", f"/task/{TASK}"]
    )
    def test_other_paths_are_no_page(self, path: str) -> None:
        assert find_page(path) is None

    def test_patterns_are_unique(self) -> None:
        assert len({page.pattern for page in PAGES}) == len(PAGES)
