"""The submit page: what the browser reports about a posted workload, samples, and recent tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from heavy_stack.backend.services import Services
from heavy_stack.frontend.pages.submit import SubmitPage, list_samples
from heavy_stack.shared_models.tasks import TaskState
from heavy_stack.shared_models.users import User
from tests.support.factories import submit
from tests.support.screens import Screen

Show = Callable[[Any], Screen]
TASK = "12345678-1234-5678-1234-567812345678"


class TestSubmitPage:
    async def test_a_refused_workload_shows_why_and_moves_the_focus_there(self, show: Show) -> None:
        async with show(SubmitPage()) as screen:
            await screen.click("Submit workload")
            sent = await screen.answer(
                "heavy_stack_brython.forms:post_text",
                json.dumps([422, "/new", json.dumps({"detail": "It has no queries.", "code": "workload_format"})]),
            )
            assert sent == {"field_id": "workload-text", "url": "/new", "content_type": "application/json"}
            await screen.until(lambda: "It has no queries." in screen.text())
            assert screen.get(id="submit-error")["attributes"]["role"] == "alert"
            assert await screen.answer("heavy_stack_brython.forms:focus_element", None) == {
                "element_id": "submit-error"
            }
            assert screen.get(tag="button", text="Submit workload")["attributes"]["disabled"] is False

    async def test_a_taken_workload_leads_to_its_task(self, show: Show) -> None:
        async with show(SubmitPage()) as screen:
            await screen.click("Upload file")
            await screen.answer("heavy_stack_brython.forms:post_form", json.dumps([200, f"http://x/tasks/{TASK}", ""]))
            assert await screen.answer("heavy_stack_brython.navigate:navigate_to", None) == {"url": f"/tasks/{TASK}"}

    async def test_a_sample_is_submitted_and_opened(self, show: Show, page_services: Services, ann: User) -> None:
        name = list_samples()[0].name
        async with show(SubmitPage()) as screen:
            await screen.click(f"Run {name}")
            sent = await screen.answer("heavy_stack_brython.navigate:navigate_to", None)
        async with page_services.unit_of_work():
            task = (await page_services.tasks.list_tasks(ann))[0]
        assert sent == {"url": f"/tasks/{task.id}"}
        assert task.state is TaskState.RUNNING
        assert "{lake}" not in task.url

    async def test_ones_recent_tasks_are_listed(self, show: Show, page_services: Services, ann: User) -> None:
        async with show(SubmitPage()) as screen:
            await screen.until(lambda: "You have not submitted anything yet." in screen.text())
        task_id = await submit(page_services, ann)
        async with show(SubmitPage()) as screen:
            await screen.until(lambda: str(task_id)[:8] in screen.text())
            assert "Waiting" in screen.text()


class TestListSamples:
    def test_each_sample_is_counted(self) -> None:
        assert list_samples()
        assert all(sample.queries > 0 and sample.tables > 0 for sample in list_samples())
