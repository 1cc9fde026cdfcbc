"""The task page, from the real database layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from heavy_stack.backend.services import Services
from heavy_stack.frontend.pages.task import TaskPage, current_stage
from heavy_stack.shared_models.tasks import STAGE_LABELS, STAGES, Stage, TaskState, TaskStatus
from heavy_stack.shared_models.users import User
from tests.support.factories import answer_body, claim, make_user, submit
from tests.support.screens import Screen, text_of

Show = Callable[[Any], Screen]


class TestCurrentStage:
    def test_it_is_the_one_after_the_last_finished(self) -> None:
        def at(stage: Stage | None) -> Stage | None:
            return current_stage(TaskStatus(taskid=uuid4(), status=TaskState.RUNNING, stage=stage))

        assert at(None) is Stage.INGEST
        assert at(Stage.PARSE) is Stage.PROFILE
        assert at(Stage.REPORT) is None


class TestTaskPage:
    async def test_it_follows_a_task_from_waiting_to_its_answer(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        task_id = await submit(page_services, ann)
        async with show(TaskPage(task_id)) as screen:
            await screen.until(lambda: "Waiting for a worker" in screen.text())
            work = await claim(page_services)
            await screen.until(lambda: _step(screen) == STAGE_LABELS[Stage.INGEST])
            await page_services.work.save_stage(work, Stage.INGEST, b"{}")
            await page_services.work.beat(work, 30, progress=0.25, activity="Text 3 of 12")
            await screen.until(lambda: _step(screen) == STAGE_LABELS[Stage.PARSE])
            await screen.until(lambda: "Text 3 of 12" in screen.text())
            assert screen.get(tag="progress")["attributes"]["value"] == 25
            await page_services.work.finish(work, answer_body(task_id), '"etag"')
            await screen.until(lambda: "The answer is ready." in screen.text())
            assert screen.find(tag="a", href=f"/tasks/{task_id}/result")
            assert screen.find(tag="button", text="Cancel task") is None

    async def test_all_eight_stages_are_shown(self, show: Show, page_services: Services, ann: User) -> None:
        task_id = await submit(page_services, ann)
        async with show(TaskPage(task_id)) as screen:
            await screen.until(lambda: "Progress" in screen.text())
            assert all(STAGE_LABELS[stage] in screen.text() for stage in STAGES)

    async def test_cancel_asks_first_and_then_ends_the_task(
        self, show: Show, page_services: Services, ann: User
    ) -> None:
        task_id = await submit(page_services, ann)
        async with show(TaskPage(task_id)) as screen:
            await screen.until(lambda: screen.find(tag="button", text="Cancel task"))
            await screen.click("Cancel task")
            await screen.until(lambda: screen.find(tag="button", text="Keep it running"))
            await screen.click("Keep it running")
            await screen.until(lambda: screen.find(tag="button", text="Cancel task"))
            assert (await page_services.tasks.get_status(ann, task_id)).status is TaskState.RUNNING
            await screen.click("Cancel task")
            await screen.until(lambda: screen.find(tag="button", text="Yes, cancel it"))
            await screen.click("Yes, cancel it")
            await screen.until(lambda: "This task was cancelled." in screen.text())
        assert (await page_services.tasks.get_status(ann, task_id)).error == "cancelled"

    async def test_a_failed_task_shows_reason_and_code(self, show: Show, page_services: Services, ann: User) -> None:
        task_id = await submit(page_services, ann)
        work = await claim(page_services)
        await page_services.work.fail(work, "sql_syntax", "Statement 3 does not parse: line 2, column 14.")
        async with show(TaskPage(task_id)) as screen:
            await screen.until(lambda: "Statement 3 does not parse: line 2, column 14." in screen.text())
            assert "sql_syntax" in screen.text()
            assert "stopped here" in screen.text()

    async def test_another_users_task_looks_as_if_it_did_not_exist(self, show: Show, page_services: Services) -> None:
        task_id = await submit(page_services, await make_user(page_services, "eve"))
        async with show(TaskPage(task_id)) as screen:
            await screen.until(lambda: "There is no task with that id." in screen.text())


def _step(screen: Screen) -> str:
    item = screen.find(**{"aria-current": "step"})
    label = next((child for child in item["children"] if "stage-label" in str(child)), "") if item else ""
    return text_of(label)
