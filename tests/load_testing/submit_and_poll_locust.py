"""Locust: submit the task of a workload file, poll until it ended, fetch the answer; the loop of every API client.

    locust -f tests/load_testing/submit_and_poll_locust.py --host http://127.0.0.1:8000 \
        --users 4 --spawn-rate 1 --run-time 60s --headless

`HEAVY_LOAD_WORKLOAD` names the workload file (default: a tiny one of its own); user and password come from
`HEAVY_AUTH_USER` and `HEAVY_AUTH_PASSWORD`. Loopback only: a load test of somebody else's server is an attack.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from locust import HttpUser, between, events, task

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LIMIT_S = 900
TINY = {
    "url": "jdbc:duckdb:/nowhere",
    "ddl": [{"statement": "CREATE TABLE c.s.t (a integer, b varchar)"}],
    "queries": [{"queryid": "q", "query": "SELECT b, count(*) AS n FROM c.s.t GROUP BY b", "runquantity": 3}],
}


@events.test_start.add_listener
def _loopback_only(environment: Any, **_: Any) -> None:
    if urlsplit(environment.host or "").hostname not in LOOPBACK:
        raise SystemExit("only addresses of this machine may be loaded")


class ApiClient(HttpUser):
    """One client that goes round: new, status …, getresult."""

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        """Credentials and the workload, once."""
        user, password = os.environ.get("HEAVY_AUTH_USER", "admin"), os.environ.get("HEAVY_AUTH_PASSWORD", "")
        self.client.auth = (user, password)
        file = os.environ.get("HEAVY_LOAD_WORKLOAD")
        self.body = Path(file).read_bytes() if file else json.dumps(TINY).encode()

    @task
    def submit_and_poll(self) -> None:
        """One whole task."""
        reply = self.client.post("/new", data=self.body, headers={"content-type": "application/json"})
        if not reply.ok:
            return
        task_id = reply.json()["taskid"]
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            status = self.client.get(f"/status?task_id={task_id}", name="/status").json()["status"]
            if status != "RUNNING":
                break
            time.sleep(0.25)
        with self.client.get(f"/getresult?task_id={task_id}", name="/getresult", catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code} after {status}")
