"""Measures one task of a real server: seconds to the answer, memory of all processes, latency of /status meanwhile.

    python dev_scripts/measure_task.py workload.json [--lake FOLDER] [--url URL] [--repeat N] [--save ANSWER.json]

The server gets a fresh data folder and a free port on loopback. PSS is summed over its whole process tree every second.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from heavy_stack.cli.task_client import ENDED, TaskClient

STATUS_EVERY_S = 0.05
PSS_EVERY_S = 1.0


class Watch(threading.Thread):
    """Sums the PSS of a process tree until stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._stop_asked = threading.Event()
        self.peak_bytes = 0
        self.peak_tree: list[tuple[int, str]] = []

    def run(self) -> None:
        """Sample once a second."""
        while not self._stop_asked.wait(PSS_EVERY_S):
            tree = []
            for process in [self._root, *self._root.children(recursive=True)]:
                try:
                    tree.append((process.memory_full_info().pss, " ".join(process.cmdline())[-60:]))
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
            total = sum(size for size, _ in tree)
            if total > self.peak_bytes:
                self.peak_bytes, self.peak_tree = total, sorted(tree, reverse=True)

    def stop(self) -> None:
        """End the thread."""
        self._stop_asked.set()
        self.join()


@contextmanager
def server(folder: Path, lake: Path | None) -> Iterator[tuple[subprocess.Popen[bytes], TaskClient]]:
    """A server with a data folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = {"HEAVY_PORT": str(port), "HEAVY_DATA_DIR": str(folder), "HEAVY_AUTH_PASSWORD": "measured"}
    if lake is not None:
        settings["HEAVY_LAKE_ROOTS"] = str(lake.resolve())
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HEAVY_")}
    with (folder / "server.log").open("wb") as log:
        command = [sys.executable, "-m", "heavy_stack", "serve"]
        process = subprocess.Popen(command, env={**clean, **settings}, stdout=log, stderr=log)
    client = TaskClient(f"http://127.0.0.1:{port}", "admin", "measured")
    try:
        while not client.is_up():
            if process.poll() is not None:
                raise SystemExit((folder / "server.log").read_text())
            time.sleep(0.1)
        yield process, client
    finally:
        client.close()
        process.terminate()
        process.wait(20)


def measure(client: TaskClient, body: bytes, pid: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run one task; returns (figures, answer)."""
    watch = Watch(pid)
    watch.start()
    started = time.monotonic()
    task_id = client.submit(body)
    submitted = time.monotonic()
    latencies: list[float] = []
    stages: dict[str, float] = {}
    while True:
        before = time.perf_counter()
        status = client.status(task_id)
        latencies.append(time.perf_counter() - before)
        if status.get("stage"):
            stages.setdefault(status["stage"], round(time.monotonic() - submitted, 1))
        if status["status"] in ENDED:
            break
        time.sleep(STATUS_EVERY_S)
    seconds = time.monotonic() - submitted
    watch.stop()
    latencies.sort()
    figures: dict[str, Any] = {
        "status": status["status"],
        "error": status.get("message"),
        "submit_s": round(submitted - started, 2),
        "answer_s": round(seconds, 1),
        "pss_peak_mb": round(watch.peak_bytes / 1e6),
        "pss_tree_mb": [(round(size / 1e6), name) for size, name in watch.peak_tree[:8]],
        "status_ms": {
            "calls": len(latencies),
            "p50": round(statistics.median(latencies) * 1e3, 1),
            "p95": round(latencies[int(len(latencies) * 0.95)] * 1e3, 1),
            "max": round(latencies[-1] * 1e3, 1),
        },
        "stages_s": stages,
    }
    if status["status"] != "DONE":
        return figures, {}
    answer: dict[str, Any] = json.loads(client.result(task_id))
    report = answer["report"]
    verdicts = Counter(
        f"{text['verdict']} {text['reason'] or ''}".strip()
        for text in (report["texts"][q["text"]] for q in report["queries"])
    )
    figures |= {
        "queries": len(answer["queries"]),
        "verdicts": dict(verdicts.most_common()),
        "tables": len(report["tables"]),
        "score": report["score"],
    }
    return figures, answer


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workload", type=Path)
    parser.add_argument("--lake", type=Path, help="folder that jdbc:duckdb: may name")
    parser.add_argument("--url", help="replaces the workload's url")
    parser.add_argument("--save", type=Path, help="where the answer goes")
    parser.add_argument("--repeat", type=int, default=1)
    arguments = parser.parse_args()
    body = json.loads(arguments.workload.read_bytes())
    if arguments.url:
        body["url"] = arguments.url
    failed = False
    with tempfile.TemporaryDirectory() as name:
        with server(Path(name), arguments.lake) as (process, client):
            for _ in range(arguments.repeat):
                figures, answer = measure(client, json.dumps(body).encode(), process.pid)
                print(json.dumps(figures, indent=1, ensure_ascii=False))
                failed = failed or figures["status"] != "DONE"
        if failed:
            print((Path(name) / "server.log").read_text()[-5000:])
    if arguments.save and answer:
        arguments.save.write_text(json.dumps(answer, ensure_ascii=False, indent=1))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
