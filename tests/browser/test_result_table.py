"""The result's table of queries in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, WIDE, StoredTasks, Visiting
from tests.browser.test_submit import tab_to
from tests.support.reports import REWRITTEN


def open_result(visiting: Visiting, task_id: str, width: int = WIDE, query: str = "") -> Page:
    """The result page, loaded."""
    page = visiting(width).open(f"/tasks/{task_id}/result{query}")
    page.wait_for_selector(".headline")
    return page


class TestRows:
    def test_a_query_opens_by_keyboard_and_shows_evidence_and_difference(
        self, visiting: Visiting, tasks: StoredTasks
    ) -> None:
        page = open_result(visiting, tasks.full)
        tab_to(page, ".toggle")
        page.keyboard.press("Enter")
        page.wait_for_selector("#query-0 .diff .added")
        assert page.get_attribute(".toggle", "aria-expanded") == "true"
        assert page.locator("#query-0 .removed").count() > 0
        assert "store_id is unique in stores" in (page.text_content("#query-0") or "")
        assert page.text_content("#query-0-rewritten") == REWRITTEN
        page.keyboard.press("Enter")
        page.wait_for_selector("#query-0 .diff", state="detached")

    @pytest.mark.parametrize("width", [WIDE, NARROW])
    def test_long_lines_scroll_inside_their_own_box(self, visiting: Visiting, tasks: StoredTasks, width: int) -> None:
        page = open_result(visiting, tasks.full, width)
        page.locator(".toggle").first.click()
        page.wait_for_selector("#query-0 .diff")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert page.evaluate("getComputedStyle(document.querySelector('#query-0 .code')).overflowX") == "auto"

    def test_text_from_a_workload_is_text(self, visiting: Visiting, tasks: StoredTasks) -> None:
        page = open_result(visiting, tasks.full)
        page.locator(".toggle").first.click()
        page.wait_for_selector("#query-0 .diff")
        assert "<b>bold</b>" in (page.text_content("#query-0 .diff") or "")
        assert page.locator("#query-0 .diff b").count() == 0

    def test_the_exact_text_can_be_copied(self, visiting: Visiting, tasks: StoredTasks) -> None:
        visit = visiting()
        visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = visit.open(f"/tasks/{tasks.full}/result")
        page.wait_for_selector(".headline")
        page.locator(".toggle").first.click()
        page.click("text=Copy the rewritten")
        page.wait_for_selector("text=Copied")
        assert page.evaluate("navigator.clipboard.readText()") == REWRITTEN


class TestTwentyThousandQueries:
    def test_pages_sorting_and_filters_keep_their_place_in_the_address(
        self, visiting: Visiting, tasks: StoredTasks
    ) -> None:
        page = open_result(visiting, tasks.large)
        assert page.locator(".toggle").count() == 50
        page.get_by_role("button", name="Next").click()
        page.wait_for_selector("text=Page 2 of 400")
        page.wait_for_function("location.search === '?page=2'")
        page.get_by_role("button", name="Runs").click()
        page.wait_for_selector("th[aria-sort=ascending]:has-text('Runs')")
        page.select_option("#query-outcome", "NOT_CHECKABLE")
        page.wait_for_selector("text=queries of 20,000")
        page.fill("#query-search", "monthly-revenue-00")
        page.wait_for_function("location.search.includes('q=monthly-revenue-00')")
        shown = page.locator(".toggle").all_text_contents()
        page.reload()
        page.wait_for_selector(".headline")
        assert page.locator(".toggle").all_text_contents() == shown
        assert page.input_value("#query-search") == "monthly-revenue-00"
        assert page.input_value("#query-outcome") == "NOT_CHECKABLE"

    def test_typing_fast_loses_no_letter(self, visiting: Visiting, tasks: StoredTasks) -> None:
        page = open_result(visiting, tasks.large)
        page.focus("#query-search")
        page.keyboard.type("the quick brown fox jumps over", delay=15)
        page.wait_for_selector("text=0 queries of 20,000")
        assert page.input_value("#query-search") == "the quick brown fox jumps over"


class TestDownloads:
    def test_zip_and_answer(self, visiting: Visiting, tasks: StoredTasks) -> None:
        page = open_result(visiting, tasks.full)
        for label, ending in (("Download everything (zip)", ".zip"), ("Answer and report (JSON)", ".json")):
            with page.expect_download() as download:
                page.click(f"text={label}")
            assert download.value.suggested_filename.endswith(ending)
