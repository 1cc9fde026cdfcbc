"""What a client may send by mistake or on purpose: each is answered as the contract says, and the service goes on."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.full_run.test_api import is_problem
from tests.support.factories import workload_body
from tests.support.web_server import WebServer

MIB = 1024 * 1024


def many(count: int) -> list[dict[str, Any]]:
    """Queries of a month's log: `count` of them, 500 texts."""
    return [
        {"queryid": f"q{i}", "query": f"SELECT sum(amount) FROM lake.shop.sale WHERE id = {i % 500}", "runquantity": 1}
        for i in range(count)
    ]


def large_body(size: int) -> bytes:
    """A valid workload of exactly that many bytes."""
    query = {"queryid": "q1", "query": "", "runquantity": 1}
    empty = len(workload_body(queries=[query]))
    return workload_body(queries=[query | {"query": "x" * (size - empty)}])


def answer_to(server: WebServer, raw: bytes) -> str:
    """What the server answers to bytes on a socket."""
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read().decode()


class TestMeaningless:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"", "empty"),
            (b"{", "line 1, column 2"),
            (b"[" * 100_000, "nested too deeply"),
            (b'{"a":' * 100_000, "nested too deeply"),
            (workload_body().replace(b"3", b"NaN"), "NaN"),
            (workload_body().decode().encode("utf-16"), "UTF-16"),
            (workload_body().replace(b"sale", b"s\xe4le"), "not UTF-8"),
            (b"null", "null"),
            (b"[]", "a list"),
            (b"{}", "url is missing. ddl is missing. queries is missing."),
            (workload_body(ddl=[]), "ddl is empty"),
            (workload_body(queries=[]), "queries is empty"),
            (workload_body(queries=[{}]), "queries[0].queryid is missing."),
            (workload_body(queries=many(3) * 2), 'queries[3].queryid "q0" is the same as that of queries[0]'),
            (workload_body(queries=[{"queryid": "q", "query": "x\x00"}]), "U+0000"),
            (workload_body(ddl=[{"statement": "-- CREATE TABLE a.b.c (x int)"}]), "creates no table"),
            (workload_body(ddl=[{"statement": "CREATE TABLE sale (x int)"}]), "full name"),
            (workload_body(options={"speed": "very"}), "options.speed is not an option"),
        ],
    )
    def test_is_refused_with_its_place(self, client: httpx.Client, body: bytes, words: str) -> None:
        reply = client.post("/new", content=body)
        assert is_problem(reply, 422, "workload_format")
        assert words in reply.json()["detail"]
        assert reply.json()["place"]

    def test_a_compressed_body_is_refused_by_its_name(self, client: httpx.Client) -> None:
        reply = client.post("/new", content=b"x", headers={"content-encoding": "gzip"})
        assert is_problem(reply, 415, "content_encoding")

    @pytest.mark.parametrize(
        "raw",
        [
            b"GARBAGE\r\n\r\n",
            b"GET /status HTTP/9.9\r\n\r\n",
            b"GET /st\xc3\xa4tus HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /new HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            b"POST /new HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        ],
    )
    def test_what_is_no_http_is_a_problem_too(self, server: WebServer, raw: bytes) -> None:
        answer = answer_to(server, raw)
        assert answer.startswith("HTTP/1.1 400 ")
        assert '"code":"bad_request"' in answer

    def test_a_huge_header_is_refused(self, server: WebServer) -> None:
        answer = answer_to(server, b"GET /status HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 30_000 + b"\r\n\r\n")
        assert answer.startswith("HTTP/1.1 413 ")


class TestMeaningful:
    @pytest.mark.parametrize(
        "query",
        [
            "SELEKT 1",
            "DROP TABLE lake.shop.sale",
            "SELECT 1; SELECT 2",
            "SELECT * FROM a.b.c.d.e",
            "SELECT 1 -- eats the rest FROM x",
            "SELECT 'new\nline', 'Größe 😀'",
            "SELECT * FROM TABLE(x.system.query(query => 'x'))",
            "SELECT * FROM lake.shop.sale WHERE id IN (" + ",".join(map(str, range(20_000))) + ")",
            "SELECT " + "(" * 400 + "1" + ")" * 400,
            "",
        ],
    )
    def test_sql_that_makes_no_sense_is_the_worker_s(self, client: httpx.Client, query: str) -> None:
        reply = client.post("/new", content=workload_body(queries=[{"queryid": "q", "query": query}]))
        assert reply.status_code == 200

    def test_twenty_thousand_queries_are_taken_quickly(self, client: httpx.Client) -> None:
        body = workload_body(queries=many(20_000))
        started = time.perf_counter()
        assert client.post("/new", content=body).status_code == 200
        assert time.perf_counter() - started < 10


class TestLarge:
    @pytest.fixture
    def polling(self, client: httpx.Client) -> Iterator[list[float]]:
        """Seconds that `/healthz` took, asked over and over meanwhile."""
        times: list[float] = []
        over = threading.Event()

        def poll() -> None:
            with httpx.Client(base_url=client.base_url, timeout=30, trust_env=False) as other:
                while not over.is_set():
                    started = time.perf_counter()
                    other.get("/healthz")
                    times.append(time.perf_counter() - started)
                    time.sleep(0.02)

        thread = threading.Thread(target=poll)
        thread.start()
        yield times
        over.set()
        thread.join()

    def test_a_body_of_the_largest_size_is_taken_and_leaves_no_memory_behind(
        self, server: WebServer, client: httpx.Client, polling: list[float]
    ) -> None:
        body = large_body(64 * MIB)
        assert len(body) == 64 * MIB
        before = server.resident_bytes()
        for _ in range(3):
            assert client.post("/new", content=body).status_code == 200
        assert server.resident_bytes() - before < 500 * MIB
        assert max(polling) < 10

    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_larger_body_is_refused(self, server: WebServer, client: httpx.Client, chunked: bool) -> None:
        before = server.resident_bytes()
        block = b"x" * MIB
        content = (block for _ in range(80)) if chunked else block * 80
        reply = client.post("/new", content=content)
        assert is_problem(reply, 413, "body_too_large")
        assert f"{64 * MIB:,} bytes" in reply.json()["detail"]
        assert server.resident_bytes() - before < 150 * MIB
        assert client.get("/healthz").status_code == 200

    def test_a_client_that_asks_first_sends_nothing(self, server: WebServer) -> None:
        head = (
            "POST /new HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46YSBwYXNzd29yZCBmb3IgdGVzdHMgb25seQ==\r\n"
            "Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
        )
        assert "413 " in answer_to(server, head.encode())

    def test_a_body_where_none_is_needed_is_thrown_away(self, server: WebServer, client: httpx.Client) -> None:
        assert client.request("GET", "/healthz", content=b"x" * 1000).status_code == 200
        assert is_problem(client.request("GET", "/healthz", content=b"x" * MIB), 413, "body_too_large")
        assert "not consumed" not in server.log.read_text()

    def test_many_problems_are_counted_not_listed(self, client: httpx.Client) -> None:
        reply = client.post("/new", content=json.dumps({"url": "x", "ddl": [{}], "queries": [{}] * 50_000}))
        assert is_problem(reply, 422, "workload_format")
        assert len(reply.content) < 10_000
        assert reply.json()["problem_count"] == 100_001
