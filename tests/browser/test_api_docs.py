"""`/docs`: the API's description, tried from the page, with files of our own only."""

from __future__ import annotations

import json

from tests.browser.conftest import NARROW, Visiting
from tests.support.factories import workload_body

OPERATION = "#operations-Tasks-new_task"


class TestDocs:
    def test_a_signed_in_reader_submits_a_workload(self, visiting: Visiting) -> None:
        page = visiting().page
        page.goto("/docs")
        page.wait_for_selector(OPERATION)
        assert page.locator(".opblock").count() == 8
        page.locator(f"{OPERATION} .opblock-summary").click()
        page.locator(f"{OPERATION} textarea.body-param__text").fill(workload_body().decode())
        page.locator(f"{OPERATION} .execute").click()
        live = page.locator(f"{OPERATION} .live-responses-table tbody")
        live.locator(".response-col_status", has_text="200").wait_for()
        answer = json.loads(live.locator(".highlight-code code").first.inner_text())
        assert len(answer["taskid"]) == 36

    def test_fits_a_narrow_screen(self, visiting: Visiting) -> None:
        page = visiting(NARROW).page
        page.goto("/docs")
        page.wait_for_selector(OPERATION)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
