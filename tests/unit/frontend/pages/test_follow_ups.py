"""What the result page offers afterwards: a later query, conditions checked again, the front."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from heavy_stack.backend.services import Services
from heavy_stack.frontend.pages.result import ResultPage
from heavy_stack.frontend.pages.submit import SubmitPage
from heavy_stack.frontend.pages.task import TaskPage
from heavy_stack.shared_models.reports import Recheck, TextReport
from heavy_stack.shared_models.tasks import TaskState
from heavy_stack.shared_models.users import User
from heavy_stack.shared_models.verdicts import Reason, Verdict
from tests.support.factories import answer_body, claim, make_report, store_finished, submit
from tests.support.reports import REWRITTEN, empty_report, full_report
from tests.support.screens import Screen

Show = Callable[[Any], Screen]
POST = "heavy_stack_brython.forms:post_text"


async def rewritten(services: Services, user: User, design: UUID, text: TextReport) -> UUID:
    """A later query on the design, answered with that text."""
    async with services.unit_of_work():
        task_id = await services.tasks.rewrite(user, design, b'{"query": "SELECT 1"}')
    work = await claim(services)
    assert work.task_id == task_id
    await services.work.finish(work, answer_body(task_id, make_report(texts=[text])), '"etag"')
    return task_id


def posted(task_id: UUID) -> str:
    return json.dumps([200, "http://x/tasks/1/rewrite", json.dumps({"taskid": str(task_id)})])


class TestLaterQuery:
    async def test_an_answered_query_shows_verdict_and_rewrite_in_place(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        design = await store_finished(page_services, ann, full_report())
        later = await rewritten(page_services, ann, design, full_report().texts[0])
        async with show(ResultPage(design, "")) as screen:
            await screen.until(lambda: screen.find(tag="button", text="Rewrite it"))
            await screen.click("Rewrite it")
            assert await screen.answer(POST, posted(later)) == {
                "field_id": "later-query",
                "url": f"/tasks/{design}/rewrite",
                "content_type": "text/plain",
            }
            await screen.until(lambda: "The design answers this query." in screen.text())
            assert REWRITTEN in screen.text()
            assert screen.find(tag="a", href=f"/tasks/{later}/result")

    async def test_a_query_that_is_not_answered_says_what_is_missing(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        design = await store_finished(page_services, ann, full_report())
        text = TextReport(
            verdict=Verdict.UNCHANGED, reason=Reason.NO_GAIN, detail="by_city has no dimension day.", original="SELECT"
        )
        later = await rewritten(page_services, ann, design, text)
        async with show(ResultPage(design, "")) as screen:
            await screen.until(lambda: screen.find(tag="button", text="Rewrite it"))
            await screen.click("Rewrite it")
            await screen.answer(POST, posted(later))
            await screen.until(lambda: "The design does not answer this query." in screen.text())
            assert "by_city has no dimension day." in screen.text()

    async def test_its_state_is_shown_while_it_runs_and_how_it_failed(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        design = await store_finished(page_services, ann, full_report())
        async with page_services.unit_of_work():
            later = await page_services.tasks.rewrite(ann, design, b'{"query": "SELECT 1"}')
        async with show(ResultPage(design, "")) as screen:
            await screen.until(lambda: screen.find(tag="button", text="Rewrite it"))
            await screen.click("Rewrite it")
            await screen.answer(POST, posted(later))
            await screen.until(lambda: "Waiting for a worker" in screen.text())
            work = await claim(page_services)
            await page_services.work.beat(work, 60, progress=0.4, activity="Trying it")
            await screen.until(lambda: "Trying it" in screen.text())
            await page_services.work.fail(work, "design_outdated", "Send the workload again.")
            await screen.until(lambda: "Send the workload again." in screen.text())

    async def test_a_refused_query_shows_why(self, show: Show, page_services: Services, ann: User) -> None:
        design = await store_finished(page_services, ann, full_report())
        async with show(ResultPage(design, "")) as screen:
            await screen.until(lambda: screen.find(tag="button", text="Rewrite it"))
            await screen.click("Rewrite it")
            refusal = json.dumps({"detail": "query is empty.", "code": "workload_format"})
            await screen.answer(POST, json.dumps([422, "/x", refusal]))
            await screen.until(lambda: "query is empty." in screen.text())
            assert screen.get(id="later-error")["attributes"]["role"] == "alert"


class TestCertificates:
    async def test_each_condition_stands_there_with_its_sql(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        report = full_report()
        async with show(ResultPage(await store_finished(page_services, ann, report), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            assert all(item.name in screen.text() and item.sql in screen.text() for item in report.certificates)

    async def test_a_design_without_conditions_says_so_and_no_design_says_nothing(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        report = full_report().model_copy(update={"certificates": []})
        async with show(ResultPage(await store_finished(page_services, ann, report), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            assert "every rewrite is equal whatever the tables hold" in screen.text()
        async with show(ResultPage(await store_finished(page_services, ann, empty_report()), "")) as screen:
            await screen.until(lambda: empty_report().headline in screen.text())
            assert "What must stay true" not in screen.text()

    async def test_checking_again_shows_what_broke_in_place_and_on_its_own_page(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        report = full_report()
        design = await store_finished(page_services, ann, report)
        broken = [report.certificates[0].model_copy(update={"outcome": "broken", "detail": "the data breaks it"})]
        found = Recheck(design=str(design), certificates=broken, at="2026-11-21T12:00:00+00:00")
        async with show(ResultPage(design, "")) as screen:
            await screen.until(lambda: screen.find(tag="button", text="Check again now"))
            await screen.click("Check again now")
            await screen.until(lambda: "Waiting for a worker" in screen.text())
            work = await claim(page_services)
            assert work.kind == "recheck"
            body = answer_body(work.task_id, recheck=found.model_dump(mode="json"))
            await page_services.work.finish(work, body, '"etag"')
            await screen.until(lambda: "1 condition no longer true" in screen.text())
        async with show(ResultPage(work.task_id, "")) as screen:
            await screen.until(lambda: "the data breaks it" in screen.text())
            assert screen.find(tag="a", href=f"/tasks/{design}/result")
        async with show(TaskPage(work.task_id)) as screen:
            await screen.until(lambda: "All conditions are checked" in screen.text())
            assert "Download" not in screen.text()
        async with show(SubmitPage()) as screen:
            await screen.until(lambda: f"{str(work.task_id)[:8]}  recheck" in screen.text())


class TestFront:
    async def test_is_drawn_and_told_as_a_table(self, show: Show, page_services: Services, ann: User) -> None:
        report = full_report()
        async with show(ResultPage(await store_finished(page_services, ann, report), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            figure = screen.get(tag="figure")
            assert "<svg" in figure["attributes"]["dangerouslySetInnerHTML"]["__html"]
            assert "402 MB" in screen.text()


class TestNetGain:
    async def test_stands_beside_the_score(self, show: Show, page_services: Services, ann: User) -> None:
        report = full_report()
        assert report.net_gain is not None
        async with show(ResultPage(await store_finished(page_services, ann, report), "")) as screen:
            await screen.until(lambda: report.headline in screen.text())
            text = screen.text()
        assert report.net_gain.sentence in text
        assert "326 refreshes a day" in text
        assert text.index("Score") < text.index("Net gain") < text.index("Queries")


class TestCancelling:
    async def test_is_still_to_be_seen_after_a_reload(self, show: Show, page_services: Services, ann: User) -> None:
        task_id = await submit(page_services, ann)
        work = await claim(page_services)
        async with page_services.unit_of_work():
            status = await page_services.tasks.cancel(ann, task_id)
        assert (status.status, status.cancelling) == (TaskState.RUNNING, True)
        async with show(TaskPage(task_id)) as screen:
            await screen.until(lambda: "Cancelling…" in screen.text())
            assert screen.find(tag="button", text="Cancel task") is None
            await page_services.work.fail(work, "cancelled", "The task was cancelled.")
            await screen.until(lambda: "This task was cancelled." in screen.text())
        assert not (await page_services.tasks.get_status(ann, task_id)).cancelling
