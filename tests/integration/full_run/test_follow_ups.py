"""What users do with a design afterwards, through the API and the command, with a real worker."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import httpx
import pytest

from heavy_stack.bootstrap import build_services
from heavy_stack.shared_models.reports import CertificateReport
from tests.integration.full_run.test_api import is_problem
from tests.integration.full_run.test_frozen_design import BY_REGION, DDL, FIRST, LATER, _answered
from tests.support.factories import make_report, make_user, store_finished
from tests.support.servers import ROOT
from tests.support.settings import TEST_PASSWORD
from tests.support.web_server import USER, WebServer, web_server

WAIT_S = 120
UNIQUE = "SELECT day FROM shop.main.orders WHERE day IS NOT NULL GROUP BY day HAVING COUNT(*) > 1"
FILLED = "SELECT 1 FROM shop.main.orders WHERE region IS NULL"
CONDITIONS = [
    CertificateReport(name="orders has one row per day", sql=UNIQUE, outcome="holds", queries=1),
    CertificateReport(name="region is filled", sql=FILLED, outcome="holds", queries=1),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A service with one worker, and 200,000 orders in its lake."""
    data = tmp_path_factory.mktemp("later") / "data"
    folder = data / "lake" / "shop" / "main" / "orders"
    folder.mkdir(parents=True)
    rows = """SELECT DATE '2024-01-01' + CAST(i % 180 AS INTEGER) AS day, 'r' || (i % 7) AS region,
        'c' || (i % 3) AS channel, CAST(i % 1000 AS DECIMAL(12,2)) AS amount FROM range(200000) AS t(i)"""
    duckdb.connect().execute(f"COPY ({rows}) TO '{folder / 'part.parquet'}' (FORMAT parquet)")
    with web_server(data, worker_processes=1) as running:
        yield running


@pytest.fixture(scope="module")
def lake(server: WebServer) -> Path:
    return Path(server.settings.data_dir).resolve() / "lake" / "shop"


@pytest.fixture(scope="module")
def design(server: WebServer, lake: Path) -> dict[str, Any]:
    """The answer of a finished task."""
    with server.client() as client:
        return _answered(client, lake, {"a": BY_REGION.format(FIRST)})


@pytest.fixture(scope="module")
def conditional(server: WebServer, lake: Path) -> str:
    """A finished task whose design relies on two conditions, of which the data breaks one."""

    async def store() -> str:
        services = build_services(server.settings)
        user = await make_user(services, USER)
        url = f"jdbc:duckdb:{lake}"
        report = make_report(certificates=CONDITIONS)
        task_id = await store_finished(services, user, report, url=url, ddl=[{"statement": DDL}])
        await services.close()
        return str(task_id)

    return asyncio.run(store())


def answer_of(client: httpx.Client, reply: httpx.Response) -> dict[str, Any]:
    """The answer of the task that a reply names."""
    assert reply.status_code == 200, reply.text
    task = reply.json()["taskid"]
    end = time.monotonic() + WAIT_S
    while (status := client.get("/status", params={"task_id": task}).json())["status"] == "RUNNING":
        assert time.monotonic() < end, status
        time.sleep(0.1)
    assert status["status"] == "DONE", status
    answer: dict[str, Any] = client.get("/getresult", params={"task_id": task}).json()
    return answer


def command(server: WebServer, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """`heavy-stack …` against the server."""
    environment = {
        **os.environ,
        "HEAVY_DATA_DIR": str(server.settings.data_dir),
        "HEAVY_PORT": server.url.rsplit(":", 1)[1],
        "HEAVY_AUTH_PASSWORD": TEST_PASSWORD,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "160",
    }
    return subprocess.run(
        [sys.executable, "-m", "heavy_stack", *arguments],
        cwd=Path(server.settings.data_dir).parent,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )


class TestRewriteByApi:
    def test_a_later_query_is_answered_from_the_tables_that_exist(
        self, server: WebServer, design: dict[str, Any]
    ) -> None:
        path = f"/tasks/{design['taskid']}/rewrite"
        with server.client() as client:
            answer = answer_of(client, client.post(path, json={"query": BY_REGION.format(LATER)}))
            headers = {"content-type": "text/plain; charset=utf-8"}
            plain = answer_of(client, client.post(path, content=BY_REGION.format(LATER), headers=headers))
        text = answer["report"]["texts"][0]
        assert (text["verdict"], text["tables"]) == ("EQUAL_BY_RULE", design["report"]["texts"][0]["tables"])
        assert answer["ddl"] == design["ddl"]
        assert plain["queries"][0]["query"] == text["rewritten"]

    def test_what_is_missing_is_named(self, server: WebServer, design: dict[str, Any]) -> None:
        path = f"/tasks/{design['taskid']}/rewrite"
        query = "SELECT channel, sum(amount) AS total FROM shop.main.orders GROUP BY channel"
        with server.client() as client:
            text = answer_of(client, client.post(path, json={"query": query}))["report"]["texts"][0]
        assert (text["verdict"], text["reason"]) == ("UNCHANGED", "NO_GAIN")
        assert "channel" in text["detail"]

    def test_problems_say_place_and_cure(self, server: WebServer, design: dict[str, Any]) -> None:
        path = f"/tasks/{design['taskid']}/rewrite"
        with server.client() as client:
            assert is_problem(client.post(path, json={"query": ""}), 422, "workload_format")
            assert is_problem(client.post(path, json={"sql": "x"}), 422, "workload_format")
            assert is_problem(client.post(f"/tasks/{uuid4()}/rewrite", json={"query": "x"}), 404, "not_found")
            assert is_problem(client.post(f"/tasks/{uuid4()}/recheck"), 404, "not_found")


class TestRewriteByCommand:
    def test_reads_a_file_or_standard_input(self, server: WebServer, design: dict[str, Any], tmp_path: Path) -> None:
        file = tmp_path / "query.sql"
        file.write_text(BY_REGION.format(LATER))
        done = command(server, "rewrite", design["taskid"], str(file))
        assert done.returncode == 0, done.stderr
        assert "Equal by rule" in done.stdout
        found = command(server, "rewrite", design["taskid"], "-", "--json", given=BY_REGION.format(LATER))
        assert found.returncode == 0, found.stderr
        content = json.loads(found.stdout)
        assert (content["answered"], content["verdict"]) == (True, "EQUAL_BY_RULE")
        assert content["query"] == content["rewritten"]
        assert content["rewritten"] in done.stdout

    def test_a_query_that_the_design_does_not_answer_has_its_own_exit_code(
        self, server: WebServer, design: dict[str, Any]
    ) -> None:
        query = "SELECT channel, sum(amount) AS total FROM shop.main.orders GROUP BY channel"
        done = command(server, "rewrite", design["taskid"], "-", given=query)
        assert done.returncode == 1
        assert "does not answer it" in done.stdout
        assert "channel" in done.stdout

    def test_expected_errors_are_one_line(self, server: WebServer, design: dict[str, Any]) -> None:
        assert command(server, "rewrite", design["taskid"], "nowhere.sql").returncode == 2
        assert command(server, "rewrite", design["taskid"], "-", given=" ").returncode == 2
        done = command(server, "rewrite", str(uuid4()), "-", given="SELECT 1")
        assert done.returncode == 1
        assert "not_found" in done.stderr
        assert "Traceback" not in done.stderr


class TestRecheck:
    def test_says_by_api_which_conditions_hold(self, server: WebServer, conditional: str) -> None:
        with server.client() as client:
            found = answer_of(client, client.post(f"/tasks/{conditional}/recheck"))["recheck"]
        assert [item["outcome"] for item in found["certificates"]] == ["broken", "holds"]
        assert found["design"] == conditional

    def test_the_command_exits_1_when_one_broke(self, server: WebServer, conditional: str, lake: Path) -> None:
        done = command(server, "recheck", conditional, "--url", f"jdbc:duckdb:{lake}")
        assert done.returncode == 1, done.stderr
        assert "broken" in done.stdout
        assert UNIQUE in done.stdout

    def test_the_command_exits_5_when_nobody_could_be_asked(self, server: WebServer, conditional: str) -> None:
        done = command(server, "recheck", conditional, "--url", "jdbc:trino://nowhere.invalid:1/lake/shop", "--json")
        assert done.returncode == 5, done.stderr
        assert [item["outcome"] for item in json.loads(done.stdout)["certificates"]] == ["unknown", "unknown"]

    def test_a_design_without_conditions_cannot_break(self, server: WebServer, design: dict[str, Any]) -> None:
        done = command(server, "recheck", design["taskid"])
        assert done.returncode == 0, done.stderr
        assert "nothing that could break" in done.stdout


class TestCertificatesOfARealDesign:
    def test_hold_until_the_data_breaks_them(self, server: WebServer, lake: Path) -> None:
        write_customers(lake, 5000)
        write_sales(lake)
        with server.client() as client:
            queries = [HOME_SALES.format("c7"), f"{HOME_SALES.format('c9')} AND s.amount > 10"]
            design = answered(client, lake, [SALES_DDL, CUSTOMERS_DDL], queries)
            certificates = design["report"]["certificates"]
            assert [item["outcome"] for item in certificates] == ["holds"]
            assert "customers" in certificates[0]["name"]
            assert command(server, "recheck", design["taskid"]).returncode == 0
            write_customers(lake, 5000, twice=True)
            done = command(server, "recheck", design["taskid"])
        assert done.returncode == 1, done.stdout + done.stderr
        assert certificates[0]["sql"] in done.stdout


SALES_DDL = "CREATE TABLE shop.main.sales (id bigint, customer_id bigint, amount decimal(12,2), note varchar)"
CUSTOMERS_DDL = "CREATE TABLE shop.main.customers (id bigint, city varchar, name varchar)"
HOME_SALES = """SELECT s.id, s.amount, c.city FROM shop.main.sales s JOIN shop.main.customers c ON c.id = s.customer_id
WHERE c.city = '{}'"""


def write_customers(lake: Path, rows: int, *, twice: bool = False) -> None:
    """The customers, each once or twice."""
    rest = f"range({rows}) AS t(i)" + (", range(2) AS again(j)" if twice else "")
    select = f"SELECT CAST(i AS BIGINT) AS id, 'c' || (i % 50) AS city, 'n' || i AS name FROM {rest}"
    write(lake, "customers", select)


def write_sales(lake: Path) -> None:
    """Many sales to them, with a wide column that nobody asks for."""
    select = """SELECT CAST(i AS BIGINT) AS id, CAST(i % 5000 AS BIGINT) AS customer_id,
        CAST(i % 1000 AS DECIMAL(12,2)) AS amount, 'note ' || hash(i) || hash(-i) AS note FROM range(1500000) AS t(i)"""
    write(lake, "sales", select)


def write(lake: Path, table: str, select: str) -> None:
    """The table's one file."""
    folder = lake / "main" / table
    folder.mkdir(exist_ok=True)
    duckdb.connect().execute(f"COPY ({select}) TO '{folder / 'part.parquet'}' (FORMAT parquet)")


def answered(client: httpx.Client, lake: Path, ddl: list[str], queries: list[str]) -> dict[str, Any]:
    """The answer to a workload of queries that run often."""
    body = {
        "url": f"jdbc:duckdb:{lake}",
        "ddl": [{"statement": statement} for statement in ddl],
        "queries": [{"queryid": f"q{n}", "query": text, "runquantity": 100} for n, text in enumerate(queries)],
        "options": {"verify": "conditions"},
    }
    return answer_of(client, client.post("/new", content=json.dumps(body)))
