"""What is asked of a finished design: later queries, rechecks."""

from __future__ import annotations

import json

import pytest

from heavy_stack.backend.data.model_managers.follow_ups import (
    MAX_LATER_BYTES,
    later_body,
    read_later_query,
    read_recheck_wish,
)
from heavy_stack.backend.data.sql_models.artefacts import REQUEST
from heavy_stack.backend.services import Services
from heavy_stack.errors import BodyTooLarge, Conflict, NotFound, TaskFailed, WorkloadFormat
from heavy_stack.shared_models.reports import CertificateReport
from heavy_stack.shared_models.tasks import TaskId, TaskKind, TaskState
from heavy_stack.shared_models.users import User
from heavy_stack.shared_models.workloads import LaterQuery
from tests.support.factories import SMALL_URL, answer_body, make_report, make_user, submit, workload_body

PLANTED = "planted-password-3310"
UNIQUE = CertificateReport(name="id is unique", sql="SELECT 1 FROM lake.shop.sale WHERE false", outcome="holds")


@pytest.fixture
async def user(services: Services) -> User:
    return await make_user(services)


async def finished(services: Services, user: User, **fields: object) -> TaskId:
    """A task that is DONE, with a report."""
    task_id = await submit(services, user)
    work = await services.work.claim_task(task_id, "w", 30)
    assert work is not None
    assert await services.work.finish(work, answer_body(task_id, make_report(**fields)), "e")
    return task_id


async def request_of(services: Services, task_id: TaskId) -> dict[str, object]:
    work = await services.work.claim_task(task_id, "reader", 30)
    assert work is not None
    content: dict[str, object] = json.loads((await services.work.read_inputs(work)).request)
    return content


class TestReadLaterQuery:
    def test_takes_json_or_the_text_itself(self) -> None:
        body = json.dumps({"query": "SELECT 1", "verify": "engine", "url": "jdbc:duckdb:/x"}).encode()
        assert read_later_query(body, as_text=False) == LaterQuery(
            query="SELECT 1", verify="engine", url="jdbc:duckdb:/x"
        )
        assert read_later_query("SELECT 'ü'".encode(), as_text=True).query == "SELECT 'ü'"

    @pytest.mark.parametrize(
        ("body", "place"),
        [
            (b"", "byte 0"),
            (b"SELECT 1", "line 1, column 1"),
            (b"{}", "query"),
            (b'{"query": ""}', "query"),
            (b'{"query": "  "}', "query"),
            (b'{"query": 7}', "query"),
            (b'{"query": "SELECT 1", "verfy": "none"}', "verfy"),
            (b'{"query": "SELECT 1", "verify": "hard"}', "verify"),
            (b'{"query": "SELECT \\u0000"}', "query"),
        ],
    )
    def test_names_the_place_of_what_is_wrong(self, body: bytes, place: str) -> None:
        with pytest.raises(WorkloadFormat) as caught:
            read_later_query(body, as_text=False)
        assert caught.value.context["place"] == place

    def test_refuses_what_is_no_text_or_too_large(self) -> None:
        with pytest.raises(WorkloadFormat, match="not UTF-8"):
            read_later_query(b"SELECT '\xff'", as_text=True)
        with pytest.raises(BodyTooLarge):
            read_later_query(b" " * (MAX_LATER_BYTES + 1), as_text=True)

    def test_a_recheck_may_have_no_body(self) -> None:
        assert read_recheck_wish(b"  ").url is None
        with pytest.raises(WorkloadFormat, match="the names are url"):
            read_recheck_wish(b'{"uri": "x"}')


class TestRewrite:
    async def test_is_a_task_on_the_frozen_design(self, services: Services, user: User) -> None:
        design = await finished(services, user)
        async with services.unit_of_work():
            task_id = await services.tasks.rewrite(user, design, b'{"query": "SELECT 2"}')
            task = await services.tasks.get_task(user, task_id)
        assert (task.kind, task.state, task.url, task.query_count) == ("advise", TaskState.RUNNING, SMALL_URL, 1)
        request = await request_of(services, task_id)
        assert request["options"] == {"design": str(design), "verify": "conditions", "budget_s": 120}
        assert request["queries"] == [{"queryid": "later", "query": "SELECT 2", "runquantity": 1}]
        assert request["ddl"] == json.loads(workload_body())["ddl"]

    async def test_credentials_of_a_new_url_are_kept_apart(self, services: Services, user: User) -> None:
        design = await finished(services, user)
        body = json.dumps({"query": "SELECT 2", "url": f"{SMALL_URL}?user=ann&password={PLANTED}"}).encode()
        async with services.unit_of_work():
            task_id = await services.tasks.rewrite(user, design, body)
        work = await services.work.claim_task(task_id, "w", 30)
        assert work is not None
        inputs = await services.work.read_inputs(work)
        assert PLANTED.encode() not in inputs.request
        assert inputs.credentials == {"password": PLANTED}

    def test_a_comparison_on_the_data_may_take_its_time(self) -> None:
        body = later_body(LaterQuery(query="SELECT 1", verify="engine"), TaskId(int=7), workload_body())
        assert "budget_s" not in json.loads(body)["options"]

    async def test_only_of_ones_own_finished_designs(self, services: Services, user: User) -> None:
        design = await finished(services, user, certificates=[UNIQUE])
        running = await submit(services, user)
        stranger = await make_user(services, "stranger")
        async with services.unit_of_work():
            again = await services.tasks.recheck(user, design)
        for name in ("rewrite", "recheck"):
            call = getattr(services.tasks, name)
            body = b'{"query": "SELECT 1"}' if name == "rewrite" else b""
            async with services.unit_of_work():
                with pytest.raises(NotFound):
                    await call(stranger, design, body)
                with pytest.raises(Conflict, match="still running"):
                    await call(user, running, body)
                with pytest.raises(Conflict):
                    await call(user, again, body)
        async with services.unit_of_work():
            await services.tasks.cancel(user, running)
        async with services.unit_of_work():
            with pytest.raises(TaskFailed):
                await services.tasks.rewrite(user, running, b'{"query": "SELECT 1"}')


class TestRecheck:
    async def test_stores_all_that_a_worker_needs(self, services: Services, user: User) -> None:
        design = await finished(services, user, certificates=[UNIQUE])
        async with services.unit_of_work():
            task_id = await services.tasks.recheck(user, design)
            task = await services.tasks.get_task(user, task_id)
        assert (task.kind, task.query_count, task.url) == (TaskKind.RECHECK, 1, SMALL_URL)
        request = await request_of(services, task_id)
        assert (request["design"], request["url"]) == (str(design), SMALL_URL)
        assert request["certificates"] == [UNIQUE.model_dump(mode="json")]
        assert REQUEST not in request

    async def test_its_answer_is_no_design_and_a_design_no_recheck(self, services: Services, user: User) -> None:
        design = await finished(services, user, certificates=[UNIQUE])
        async with services.unit_of_work():
            task_id = await services.tasks.recheck(user, design)
        work = await services.work.claim_task(task_id, "w", 30)
        assert work is not None
        found = {"design": str(design), "certificates": [], "at": "2026-11-21T12:00:00+00:00"}
        assert await services.work.finish(work, answer_body(task_id, recheck=found), "e")
        async with services.unit_of_work():
            assert (await services.tasks.get_recheck(user, task_id)).design == str(design)
            with pytest.raises(Conflict) as caught:
                await services.tasks.get_download(user, task_id)
            assert caught.value.code == "no_design"
            with pytest.raises(Conflict) as caught:
                await services.tasks.get_recheck(user, design)
            assert caught.value.code == "no_recheck"
