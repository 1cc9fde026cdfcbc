"""What the result page offers afterwards, in a browser."""

from __future__ import annotations

from uuid import UUID

import pytest

from heavy_stack.backend.services import Services
from tests.browser.conftest import NARROW, WIDE, StoredTasks, Visiting
from tests.browser.test_every_page import check
from tests.browser.test_submit import tab_to
from tests.support.factories import answer_body, make_report
from tests.support.page_servers import PageServer
from tests.support.reports import full_report
from tests.support.web_server import USER

QUERY = "SELECT region, sum(amount) FROM lake.shop.orders WHERE region <> 'it''s' GROUP BY region"


async def _answer_newest(services: Services) -> str:
    """Play the worker for the newest task; returns the query that it was asked."""
    async with services.unit_of_work():
        user = await services.users.ensure_user(USER)
        newest = (await services.tasks.list_tasks(user, 1))[0]
    work = await services.work.claim_task(UUID(str(newest.id)), "player", 60)
    assert work is not None
    request = (await services.work.read_inputs(work)).request.decode()
    report = make_report(texts=[full_report().texts[0]])
    await services.work.finish(work, answer_body(newest.id, report), '"etag"')
    return request


@pytest.mark.parametrize("width", [WIDE, NARROW])
class TestLaterQuery:
    def test_by_keyboard_from_the_paste_to_the_rewrite(
        self, visiting: Visiting, server: PageServer, tasks: StoredTasks, width: int
    ) -> None:
        page = visiting(width).open(f"/tasks/{tasks.full}/result")
        page.wait_for_selector("#later-query")
        page.focus("#later-query")
        page.keyboard.insert_text(QUERY)
        tab_to(page, "form button[type=submit]")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Waiting for a worker")
        assert "it''s" in server.do(_answer_newest)
        page.wait_for_selector("text=The design answers this query.")
        page.wait_for_selector("#query-1000000000-rewritten", state="attached")
        page.wait_for_selector(".panel .diff .added")
        assert page.input_value("#later-query") == QUERY
        check(page)

    def test_an_empty_field_says_so(self, visiting: Visiting, tasks: StoredTasks, width: int) -> None:
        visit = visiting(width)
        page = visit.open(f"/tasks/{tasks.full}/result")
        page.click("text=Rewrite it")
        page.wait_for_selector("#later-error:has-text('query')")
        check(page)
        # The browser's own note of the refusal is no complaint.
        visit.complaints[:] = [c for c in visit.complaints if "422" not in c]


class TestDrawing:
    @pytest.mark.parametrize("width", [WIDE, NARROW])
    def test_its_letters_are_readable(self, visiting: Visiting, tasks: StoredTasks, width: int) -> None:
        page = visiting(width).open(f"/tasks/{tasks.full}/result")
        page.wait_for_selector(".front svg")
        drawn = page.evaluate("document.querySelector('.front svg').getBoundingClientRect().width / 360 * 12")
        assert drawn >= 10
