"""Handing in a workload with the keyboard, as a file, and as a sample; and what happens when it is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, WIDE, Visiting
from tests.browser.test_every_page import check
from tests.support.factories import workload_body

_TASK = re.compile(r"/tasks/[0-9a-f-]{36}$")


def tab_to(page: Page, selector: str, *, at_most: int = 30) -> None:
    """Press Tab until that element has the focus, which must be visible."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
            return
    raise AssertionError(f"{selector} cannot be reached with the keyboard")


class TestPaste:
    @pytest.mark.parametrize("width", [WIDE, NARROW])
    def test_by_keyboard_alone_from_the_skip_link_to_the_task(self, visiting: Visiting, width: int) -> None:
        page = visiting(width).open("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        tab_to(page, "#workload-text")
        page.keyboard.insert_text(workload_body().decode())
        tab_to(page, "#workload-form button[type=submit]")
        page.keyboard.press("Enter")
        page.wait_for_url(_TASK)
        page.wait_for_selector("text=Waiting for a worker")

    def test_a_refused_workload_stays_and_says_what_is_wrong_and_where(self, visiting: Visiting) -> None:
        visit = visiting(NARROW)
        page = visit.open("/")
        text = json.dumps(
            {
                "url": "jdbc:trino://h:1/c/s",
                "ddl": [{"statement": "CREATE TABLE a.b.c (d int)"}],
                "queries": [{"queryid": 7, "query": "SELECT 1"}],
            }
        )
        page.fill("#workload-text", text)
        page.click("text=Submit workload")
        page.wait_for_selector("#submit-error")
        page.wait_for_function("document.activeElement.id === 'submit-error'")
        said = page.text_content("#submit-error") or ""
        assert "queryid" in said
        assert "workload_format" in said
        assert page.input_value("#workload-text") == text
        check(page)
        # It can be mended and sent again.
        page.fill("#workload-text", text.replace("7", '"7"'))
        page.click("text=Submit workload")
        page.wait_for_url(_TASK)
        visit.complaints[:] = [c for c in visit.complaints if "422" not in c]

    def test_a_large_text_does_not_travel_in_page_events(self, visiting: Visiting) -> None:
        visit = visiting()
        page = visit.open("/")
        queries = [
            {"queryid": f"q{n}", "query": f"SELECT {n} FROM lake.shop.sale -- {'x' * 200}"} for n in range(3_000)
        ]
        page.fill("#workload-text", workload_body(queries=queries).decode())
        page.click("text=Submit workload")
        page.wait_for_url(_TASK)
        assert max(visit.frames) < 4096


class TestUpload:
    def test_a_file_becomes_a_task(self, visiting: Visiting, tmp_path: Path) -> None:
        file = tmp_path / "workload.json"
        file.write_bytes(workload_body())
        page = visiting(NARROW).open("/")
        page.set_input_files("#workload-file", file)
        page.click("text=Upload file")
        page.wait_for_url(_TASK)

    def test_no_file_is_said_in_words(self, visiting: Visiting) -> None:
        visit = visiting()
        page = visit.open("/")
        page.click("text=Upload file")
        page.wait_for_selector("#submit-error")
        assert "file" in (page.text_content("#submit-error") or "")
        visit.complaints[:] = [c for c in visit.complaints if "422" not in c]


class TestSample:
    def test_a_sample_runs_with_one_click(self, visiting: Visiting) -> None:
        page = visiting().open("/")
        page.click("text=Run retail")
        page.wait_for_url(_TASK)
        page.wait_for_selector("text=20 queries on 7 tables")


class TestRecentTasks:
    def test_a_new_task_is_listed_with_a_link(self, visiting: Visiting) -> None:
        page = visiting(NARROW).open("/")
        page.fill("#workload-text", workload_body().decode())
        page.click("text=Submit workload")
        page.wait_for_url(_TASK)
        short = page.url.rsplit("/", 1)[1][:8]
        page.goto("/")
        page.click(f"a:text('{short}')")
        page.wait_for_url(_TASK)
