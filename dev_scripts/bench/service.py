"""The service from outside: submit, wait, take the answer and its download."""

from __future__ import annotations

import io
import json
import time
import zipfile
from dataclasses import dataclass
from typing import Any

from heavy_stack.cli.task_client import TaskClient

WAIT_S = 15 * 60


@dataclass(frozen=True)
class Answer:
    """What the service answered.

    Attributes:
        task_id: For `options.design` of a later task.
        seconds: From submit to DONE.
        body: The `/getresult` object.
        duckdb: The download's statements for DuckDB, by part: ddl, migrations, queries.
    """

    task_id: str
    seconds: float
    body: dict[str, Any]
    duckdb: dict[str, list[str]]

    @property
    def queries(self) -> dict[str, str]:
        """The answer's text by query id."""
        return {query["queryid"]: query["query"] for query in self.body["queries"]}

    @property
    def verdicts(self) -> dict[str, tuple[str, str | None]]:
        """(verdict, reason) by query id."""
        report = self.body["report"]
        texts = [(text["verdict"], text.get("reason")) for text in report["texts"]]
        return {query["queryid"]: texts[query["text"]] for query in report["queries"]}

    def is_rewritten(self, queryid: str) -> bool:
        """Whether the design answers that query."""
        return self.verdicts[queryid][0] != "UNCHANGED"


def ask(client: TaskClient, body: dict[str, Any]) -> Answer:
    """Submit a workload and wait for its answer.

    Raises:
        SystemExit: The task failed.
    """
    started = time.monotonic()
    task_id = client.submit(json.dumps(body).encode())
    status = client.wait(task_id, lambda _: None, timeout_s=WAIT_S)
    seconds = time.monotonic() - started
    if status["status"] != "DONE":
        raise SystemExit(f"the task ended {status['status']}: {status.get('message')}")
    result = json.loads(client.result(task_id))
    return Answer(task_id, seconds, result, unpack(client.download(task_id)))


def unpack(download: bytes) -> dict[str, list[str]]:
    """The statements below `duckdb/`, in order, by folder."""
    parts: dict[str, list[str]] = {}
    with zipfile.ZipFile(io.BytesIO(download)) as archive:
        for name in sorted(archive.namelist()):
            folder, _, rest = name.partition("/")
            part, _, file = rest.partition("/")
            if folder == "duckdb" and file:
                parts.setdefault(part, []).append(archive.read(name).decode())
    return parts
