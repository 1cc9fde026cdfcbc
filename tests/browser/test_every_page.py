"""What holds for every page, wide and narrow, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, WIDE, StoredTasks, Visiting

_PAGES = {
    "submit": "/",
    "waiting": "/tasks/{waiting}",
    "running": "/tasks/{running}",
    "done": "/tasks/{full}",
    "failed": "/tasks/{failed}",
    "cancelled": "/tasks/{cancelled}",
    "result": "/tasks/{full}/result",
    "result of 20,000 queries": "/tasks/{large}/result",
    "result without an engine": "/tasks/{unmeasured}/result",
    "result without a design": "/tasks/{empty}/result",
    "result of a running task": "/tasks/{running}/result",
}


def check(page: Page) -> None:
    """No horizontal scroll, no serious finding of axe."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    assert serious_findings(page) == []


def serious_findings(page: Page) -> list[dict[str, Any]]:
    """What axe calls serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        {"id": f["id"], "nodes": [n["html"] for n in f["nodes"]]}
        for f in found
        if f["impact"] in ("serious", "critical")
    ]


class TestEveryPage:
    @pytest.mark.parametrize("width", [WIDE, NARROW])
    @pytest.mark.parametrize("name", list(_PAGES))
    def test_it_fits_and_has_no_serious_finding(
        self, visiting: Visiting, tasks: StoredTasks, name: str, width: int
    ) -> None:
        page = visiting(width).open(_PAGES[name].format(**vars(tasks)))
        if "result" in name and "running" not in name:
            page.wait_for_selector(".headline")
        check(page)

    @pytest.mark.parametrize("width", [WIDE, NARROW])
    def test_a_result_with_everything_opened(self, visiting: Visiting, tasks: StoredTasks, width: int) -> None:
        page = visiting(width).open(f"/tasks/{tasks.full}/result")
        page.wait_for_selector(".headline")
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        for number in (0, 4, 7):
            page.locator(".toggle").nth(number).click()
        page.wait_for_selector("#query-0 .diff")
        page.wait_for_selector("#query-7 pre.code")
        check(page)

    @pytest.mark.parametrize("name", ["submit", "running", "failed", "result"])
    def test_the_dark_colours_have_contrast(self, visiting: Visiting, tasks: StoredTasks, name: str) -> None:
        page = visiting(dark=True).open(_PAGES[name].format(**vars(tasks)))
        check(page)

    @pytest.mark.parametrize("width", [WIDE, NARROW])
    def test_the_sign_in_form(self, visiting: Visiting, width: int) -> None:
        page = visiting(width, fresh=True).page
        page.goto("/sign-in?next=/tasks/1")
        check(page)

    @pytest.mark.parametrize("width", [WIDE, NARROW])
    def test_the_page_for_addresses_that_lead_nowhere(self, visiting: Visiting, width: int) -> None:
        visit = visiting(width)
        response = visit.page.goto("/nowhere")
        assert response is not None
        assert response.status == 404
        assert visit.page.text_content("h1") == "Page not found"
        check(visit.page)
        # The browser's own note of the 404 is no complaint.
        visit.complaints[:] = [c for c in visit.complaints if "404" not in c]

    def test_another_users_task_is_not_found(self, visiting: Visiting) -> None:
        visit = visiting()
        response = visit.page.goto("/tasks/12345678-1234-5678-1234-567812345678")
        assert response is not None
        assert response.status == 404
        visit.complaints[:] = [c for c in visit.complaints if "404" not in c]


class TestFiles:
    @pytest.mark.parametrize(
        "path",
        [
            "/static/samples/make_retail.py",
            "/static/py/os.py",
            "/static/css/../../pyproject.toml",
            "/heavy_stack/settings.py",
        ],
    )
    def test_no_other_source_is_served(self, visiting: Visiting, path: str) -> None:
        assert visiting().context.request.get(path).status == 404

    def test_brython_is_compressed_and_kept_for_good(self, visiting: Visiting) -> None:
        request = visiting().context.request
        page = request.get("/").text()
        address = next(part for part in page.split('"') if part.endswith("/brython.js"))
        answer = request.get(address, headers={"accept-encoding": "gzip"})
        assert answer.status == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert request.get(address, headers={"if-none-match": answer.headers["etag"]}).status == 304

    def test_the_two_packages_are_served_as_python(self, visiting: Visiting) -> None:
        answer = visiting().context.request.get("/static/py/heavy_stack_brython/navigate.py")
        assert answer.status == 200
        assert "def navigate_to" in answer.text()
