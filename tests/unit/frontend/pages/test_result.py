"""The result page, from stored answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from heavy_stack.backend.services import Services
from heavy_stack.frontend.pages.result import ResultPage
from heavy_stack.shared_models.reports import Report
from heavy_stack.shared_models.users import User
from heavy_stack.shared_models.verdicts import REASON_LABELS, VERDICT_LABELS
from tests.support.factories import answer_body, claim, submit
from tests.support.reports import REWRITTEN, empty_report, full_report, unmeasured_report
from tests.support.screens import Screen, text_of

Show = Callable[[Any], Screen]
REPLACE = "heavy_stack_brython.navigate:replace_query"


async def finished(services: Services, user: User, report: Report) -> Any:
    """The id of a task that ended with this report."""
    task_id = await submit(services, user)
    work = await claim(services)
    await services.work.finish(work, answer_body(task_id, report), '"etag"')
    return task_id


def shown_ids(screen: Screen) -> list[str]:
    """The query ids in the table, in order."""
    return [text_of(node).strip() for node in screen.nodes() if node.get("attributes", {}).get("className") == "toggle"]


class TestResultPage:
    async def test_the_first_screen_says_what_came_out_and_as_of_when(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        report = full_report()
        task_id = await finished(page_services, ann, report)
        async with show(ResultPage(task_id, "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            text = screen.text()
            assert report.as_of.sentence in text
            assert report.refresh[0] in text
            assert text.index(report.as_of.sentence) < text.index(report.refresh[0]) < text.index("Score")
            assert screen.find(tag="a", href=f"/tasks/{task_id}/download")

    async def test_each_verdict_reason_table_and_rejected_candidate_is_there(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        report = full_report()
        async with show(ResultPage(await finished(page_services, ann, report), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            text = screen.text()
        assert all(label in text for label in (*VERDICT_LABELS.values(), *REASON_LABELS.values()))
        assert all(item.name in text and item.why in text for item in report.tables)
        assert all(item.candidate in text and item.why in text for item in report.rejected)
        assert all(warning in text for warning in report.warnings)
        assert all(figure in text for figure in ("38.2", "12.4", "38.1", "188", "0.991", "118"))

    async def test_figures_that_nobody_measured_are_not_invented(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        report = unmeasured_report()
        async with show(ResultPage(await finished(page_services, ann, report), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            figures = [
                text_of(n) for n in screen.nodes() if "tile-value" in n.get("attributes", {}).get("className", "")
            ]
            cells = [
                text_of(n)
                for n in screen.nodes()
                if n.get("attributes", {}).get("data-label") in ("Before", "After", "Faster")
            ]
            assert report.engine_note is not None
            assert report.engine_note in screen.text()
        assert set(figures) == {"not measured"}
        assert set(cells) == {"not measured"}

    async def test_times_of_other_texts_of_the_shape_are_marked(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        report = full_report()
        place = next(number for number, text in enumerate(report.texts) if text.before_s is not None)
        texts = list(report.texts)
        texts[place] = texts[place].model_copy(update={"measured_texts": 3})
        marked = report.model_copy(update={"texts": texts})
        async with show(ResultPage(await finished(page_services, ann, marked), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            assert "≈" in screen.text()

    async def test_opening_a_query_shows_its_evidence_and_both_texts(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        report = full_report()
        async with show(ResultPage(await finished(page_services, ann, report), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            toggle = next(n for n in screen.nodes() if n.get("attributes", {}).get("className") == "toggle")
            assert toggle["attributes"]["aria-expanded"] == "false"
            await screen.fire(toggle, "onClick")
            await screen.until(lambda: "Original" in screen.text() and "Rewritten" in screen.text())
            text = screen.text()
            assert "store_id is unique in stores" in text
            assert screen.find(id="query-0-rewritten", text=REWRITTEN)
            assert screen.find(**{"aria-expanded": "true", "aria-controls": "query-0"})

    async def test_the_table_pages_filters_and_sorts_and_the_address_follows(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        report = full_report(20_000)
        async with show(ResultPage(await finished(page_services, ann, report), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            assert len(shown_ids(screen)) == 50
            await screen.click("Last")
            await screen.until(lambda: "Page 400 of 400" in screen.text())
            assert await screen.answer(REPLACE, None) == {"query": "page=400"}
            await screen.click("Runs")
            await screen.until(lambda: "Page 1 of 400" in screen.text())
            assert await screen.answer(REPLACE, None) == {"query": "sort=runs"}
            await screen.fire(screen.get(id="query-outcome"), "onChange", "NO_GAIN")
            await screen.until(lambda: re.search(r"1,53\d queries of 20,000", screen.text()))
            assert await screen.answer(REPLACE, None) == {"query": "outcome=NO_GAIN&sort=runs"}
            await screen.fire(screen.get(id="query-search"), "onInput", "nowhere to be found")
            await screen.until(lambda: shown_ids(screen) == [])

    async def test_the_address_brings_the_view_back(self, show: Show, page_services: Services, ann: User) -> None:
        report = full_report(200)
        task_id = await finished(page_services, ann, report)
        async with show(ResultPage(task_id, "sort=-runs&page=2&q=revenue")) as screen:
            await screen.until(lambda: "Page 2 of" in screen.text())
            assert screen.get(id="query-search")["attributes"]["defaultValue"] == "revenue"
            assert screen.find(tag="th", **{"aria-sort": "descending"})

    async def test_a_result_that_changes_nothing(self, show: Show, page_services: Services, ann: User) -> None:
        report = empty_report()
        async with show(ResultPage(await finished(page_services, ann, report), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            assert "No table would pay off" in screen.text()

    async def test_before_the_end_it_says_so(self, show: Show, page_services: Services, ann: User) -> None:
        async with show(ResultPage(await submit(page_services, ann), "")) as screen:
            await screen.until(lambda: "still running" in screen.text())

    async def test_of_a_failed_task_it_says_why(self, show: Show, page_services: Services, ann: User) -> None:
        task_id = await submit(page_services, ann)
        await page_services.work.fail(await claim(page_services), "engine_timeout", "It took too long.")
        async with show(ResultPage(task_id, "")) as screen:
            await screen.until(lambda: "It took too long." in screen.text())
            assert "engine_timeout" in screen.text()
