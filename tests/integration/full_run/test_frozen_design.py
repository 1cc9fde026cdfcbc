"""`options.design`: queries that arrive later are rewritten onto the tables of an earlier answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import httpx
import pytest

from tests.support.web_server import WebServer, web_server

WAIT_S = 120
DDL = "CREATE TABLE shop.main.orders (day date, region varchar, channel varchar, amount decimal(12,2))"
BY_REGION = "SELECT region, sum(amount) AS total, count(*) AS n FROM shop.main.orders WHERE {} GROUP BY region"
FIRST = "day >= DATE '2024-01-01' AND day < DATE '2024-03-01'"
LATER = "day >= DATE '2024-02-01' AND day < DATE '2024-05-01'"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A service with one worker, and 200,000 orders in its lake."""
    data = tmp_path_factory.mktemp("frozen") / "data"
    folder = data / "lake" / "shop" / "main" / "orders"
    folder.mkdir(parents=True)
    rows = """SELECT DATE '2024-01-01' + CAST(i % 180 AS INTEGER) AS day, 'r' || (i % 7) AS region,
        'c' || (i % 3) AS channel, CAST(i % 1000 AS DECIMAL(12,2)) AS amount FROM range(200000) AS t(i)"""
    duckdb.connect().execute(f"COPY ({rows}) TO '{folder / 'part.parquet'}' (FORMAT parquet)")
    with web_server(data, worker_processes=1) as running:
        yield running


def _answered(client: httpx.Client, lake: Path, queries: dict[str, str], **options: Any) -> dict[str, Any]:
    body = {
        "url": f"jdbc:duckdb:{lake}",
        "ddl": [{"statement": DDL}],
        "queries": [{"queryid": name, "query": text, "runquantity": 10} for name, text in queries.items()],
        "options": {"verify": "conditions", **options},  # no measuring: whether it pays is not the question here
    }
    reply = client.post("/new", content=json.dumps(body))
    assert reply.status_code == 200, reply.text
    task = reply.json()["taskid"]
    end = time.monotonic() + WAIT_S
    while (status := client.get("/status", params={"task_id": task}).json())["status"] == "RUNNING":
        assert time.monotonic() < end, status
        time.sleep(0.1)
    assert status["status"] == "DONE", status
    answer: dict[str, Any] = client.get("/getresult", params={"task_id": task}).json()
    return answer


class TestFrozenDesign:
    def test_later_queries_use_the_same_tables_with_equal_rows(self, server: WebServer) -> None:
        lake = Path(server.settings.data_dir).resolve() / "lake" / "shop"
        with server.client() as client:
            first = _answered(client, lake, {"a": BY_REGION.format(FIRST)})
            later = _answered(client, lake, {"b": BY_REGION.format(LATER)}, design=first["taskid"])
        assert first["report"]["texts"][0]["verdict"] == "EQUAL_BY_RULE"
        assert (later["ddl"], later["migrations"]) == (first["ddl"], first["migrations"])
        text = later["report"]["texts"][0]
        assert (text["verdict"], text["tables"]) == ("EQUAL_BY_RULE", first["report"]["texts"][0]["tables"])
        assert later["queries"][0]["query"] == text["rewritten"]

    def test_a_design_that_nobody_reads_still_comes_back(self, server: WebServer) -> None:
        lake = Path(server.settings.data_dir).resolve() / "lake" / "shop"
        with server.client() as client:
            first = _answered(client, lake, {"a": BY_REGION.format(FIRST)})
            later = _answered(client, lake, {"b": "SELECT * FROM shop.main.orders LIMIT 1"}, design=first["taskid"])
        assert (later["ddl"], later["migrations"]) == (first["ddl"], first["migrations"])
        assert later["report"]["texts"][0]["verdict"] == "UNCHANGED"

    def test_an_unknown_design_is_refused_with_its_place(self, server: WebServer) -> None:
        query = {"queryid": "q", "query": "SELECT 1", "runquantity": 1}
        body = {"url": "jdbc:duckdb:/x", "ddl": [{"statement": DDL}], "queries": [query]}
        with server.client() as client:
            reply = client.post("/new", content=json.dumps({**body, "options": {"design": str(uuid4())}}))
        assert reply.status_code == 422
        assert reply.json()["place"] == "options.design"
