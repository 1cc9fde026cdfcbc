"""A task's page while the task runs."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from playwright.sync_api import Page

from heavy_stack.backend.services import Services
from heavy_stack.shared_models.tasks import STAGE_LABELS, STAGES, Stage, TaskId, TaskState
from tests.browser.conftest import NARROW, Proxied, Visiting
from tests.browser.test_submit import tab_to
from tests.support.factories import answer_body, make_user, submit
from tests.support.page_servers import PageServer, page_server
from tests.support.proxies import host_rewriting_proxy
from tests.support.reports import full_report
from tests.support.web_server import USER


async def store_task(services: Services) -> TaskId:
    """A new task that waits."""
    return await submit(services, await make_user(services, USER))


def current_step(page: Page, label: str) -> None:
    """Wait until that stage is marked as the current one."""
    page.wait_for_selector(f"[aria-current=step]:has-text('{label}')")


class TestLiveProgress:
    def test_each_stage_shows_as_it_happens_and_the_answer_is_linked(
        self, visiting: Visiting, server: PageServer
    ) -> None:
        task_id = server.do(store_task)
        page = visiting(NARROW).open(f"/tasks/{task_id}")
        page.wait_for_selector("text=Waiting for a worker")
        assert page.locator(".stage").count() == len(STAGES)

        async def begin(services: Services) -> object:
            return await services.work.claim_task(task_id, "worker", 600)

        work = server.do(begin)
        current_step(page, STAGE_LABELS[Stage.INGEST])
        for number, stage in enumerate((Stage.INGEST, Stage.PARSE, Stage.PROFILE)):

            async def go_on(services: Services, stage: Stage = stage, number: int = number) -> None:
                await services.work.save_stage(work, stage, b"{}")  # type: ignore[arg-type]
                await services.work.beat(work, 600, progress=number / 10, activity=f"Step {number}")  # type: ignore[arg-type]

            server.do(go_on)
            current_step(page, STAGE_LABELS[STAGES[number + 1]])
            page.wait_for_selector(f"text=Step {number}")

        async def finish(services: Services) -> None:
            await services.work.finish(work, answer_body(task_id, full_report()), '"etag"')  # type: ignore[arg-type]

        server.do(finish)
        page.wait_for_selector("text=The answer is ready.")
        page.click("text=See the result")
        page.wait_for_selector(".headline")

    def test_cancel_by_keyboard_asks_first(self, visiting: Visiting, server: PageServer) -> None:
        task_id = server.do(store_task)
        page = visiting().open(f"/tasks/{task_id}")
        page.wait_for_selector("text=Cancel task")
        tab_to(page, "main .actions button")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Yes, cancel it")
        tab_to(page, "button.danger")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=This task was cancelled.")

        async def read(services: Services) -> TaskState:
            return (await services.tasks.get_status(await make_user(services, USER), task_id)).status

        assert server.do(read) is TaskState.FAILED

    def test_times_are_shown_in_the_browsers_zone(self, visiting: Visiting, server: PageServer) -> None:
        task_id = server.do(store_task)
        page = visiting().open(f"/tasks/{task_id}")
        page.wait_for_selector("time[title='Asia/Tokyo']")


class TestReconnect:
    def test_a_lost_connection_is_said_and_the_page_comes_back(self, visiting: Visiting, proxied: Proxied) -> None:
        task_id = proxied.server.do(store_task)
        page = visiting(NARROW, proxied.address).open(f"/tasks/{task_id}")
        page.wait_for_selector("text=Waiting for a worker")
        proxied.proxy.cut()
        page.wait_for_selector("text=Connection lost")

        async def begin(services: Services) -> None:
            assert await services.work.claim_task(task_id, "worker", 600)

        proxied.server.do(begin)
        current_step(page, STAGE_LABELS[Stage.INGEST])
        page.wait_for_selector("#connection", state="hidden")


class TestRestart:
    def test_a_restarted_server_shows_the_same_task(self, visiting: Visiting, tmp_path: Path) -> None:
        data_dir = tmp_path / "data"
        data_dir.mkdir()
        with host_rewriting_proxy() as proxy:
            address = f"http://localhost:{proxy.port}"
            with page_server(data_dir, public_url=address) as first:
                proxy.target_port = first.port
                task_id: UUID = first.do(store_task)
                visit = visiting(address=address)
                page = visit.open(f"/tasks/{task_id}")
                page.wait_for_selector("text=Waiting for a worker")
            page.wait_for_selector("text=Connection lost")
            with page_server(data_dir, public_url=address) as second:
                proxy.target_port = second.port

                async def begin(services: Services) -> None:
                    assert await services.work.claim_task(task_id, "worker", 600)

                second.do(begin)
                current_step(page, STAGE_LABELS[Stage.INGEST])
                page.close()
