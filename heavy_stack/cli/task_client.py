"""A client of the task API: what `submit`, `poll-status`, `getresult` and the demo speak."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from heavy_stack.errors import HeavyStackError, InputError, NotAuthenticated, NotFound, TaskFailed
from heavy_stack.settings import Settings

POLL_S = 0.25
ENDED = frozenset({"DONE", "COMPLETE", "FAILED"})


class ServerUnreachable(HeavyStackError):
    """Nobody answers at the server's address."""

    default_code = "server_unreachable"


class WaitTimeout(HeavyStackError):
    """The task did not end within the time the caller gave."""

    default_code = "timeout"


def known_password(settings: Settings) -> str | None:
    """The API's password as this machine knows it: from the settings, else the embedded form's 0600 file."""
    if settings.auth_password is not None:
        return settings.auth_password.get_secret_value()
    file = settings.data_dir / "password"
    return file.read_text().strip() if file.is_file() else None


class TaskClient:
    """Calls of the task API with Basic credentials.

    Raises:
        ServerUnreachable, NotAuthenticated, NotFound, InputError, TaskFailed, HeavyStackError: as the server's
        problem+json says.
    """

    def __init__(self, server: str, user: str, password: str | None, *, timeout_s: float = 120.0) -> None:
        auth = httpx.BasicAuth(user, password) if password is not None else None
        self.server = server.rstrip("/")
        self._http = httpx.Client(base_url=self.server, auth=auth, timeout=timeout_s, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(self, workload: bytes) -> str:
        """Send a workload's JSON bytes; returns the task id."""
        reply = self._call("POST", "/new", content=workload, headers={"content-type": "application/json"})
        return str(reply.json()["taskid"])

    def status(self, task_id: str) -> dict[str, Any]:
        """The `/status` object."""
        reply: dict[str, Any] = self._call("GET", "/status", params={"task_id": task_id}).json()
        return reply

    def result(self, task_id: str) -> bytes:
        """The `/getresult` body."""
        return self._call("GET", "/getresult", params={"task_id": task_id}).content

    def download(self, task_id: str) -> bytes:
        """The zip with the ordered .sql files."""
        return self._call("GET", f"/tasks/{task_id}/download").content

    def rewrite(self, task_id: str, body: dict[str, Any]) -> str:
        """Submit a query that arrives later (`LaterQuery`); returns the new task's id."""
        return str(self._call("POST", f"/tasks/{task_id}/rewrite", json=body).json()["taskid"])

    def recheck(self, task_id: str, url: str | None = None) -> str:
        """Have a design's conditions checked again; returns the new task's id."""
        body = {} if url is None else {"url": url}
        return str(self._call("POST", f"/tasks/{task_id}/recheck", json=body).json()["taskid"])

    def is_up(self) -> bool:
        """True once `/healthz` answers 200."""
        try:
            return self._http.get("/healthz", timeout=2.0).status_code == 200
        except httpx.HTTPError:
            return False

    def wait(
        self, task_id: str, on_status: Callable[[dict[str, Any]], None], *, timeout_s: float = 15 * 60
    ) -> dict[str, Any]:
        """Poll until the task ended; a server that restarts meanwhile is waited for.

        Raises:
            WaitTimeout: Not ended after `timeout_s` seconds.
        """
        end = time.monotonic() + timeout_s
        while True:
            try:
                status = self.status(task_id)
            except ServerUnreachable:
                if time.monotonic() > end:
                    raise
            else:
                on_status(status)
                if status["status"] in ENDED:
                    return status
            if time.monotonic() > end:
                raise WaitTimeout(f"task {task_id} did not end within {timeout_s:.0f} s; it goes on at the server")
            time.sleep(POLL_S)

    def _call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            reply = self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise ServerUnreachable(
                f"no answer from {self.server} ({type(error).__name__}); start it with `heavy-stack serve`"
            ) from None
        if reply.is_success:
            return reply
        raise _problem(reply)


def _problem(reply: httpx.Response) -> HeavyStackError:
    try:
        body = reply.json()
        message = str(body.get("detail") or body.get("title") or reply.reason_phrase)
        code = str(body.get("code") or "error")
    except (ValueError, AttributeError):
        message, code = f"{reply.status_code} {reply.reason_phrase}", "error"
    if reply.status_code == 401:
        return NotAuthenticated(f"{message} (user and password: --user, --password, or HEAVY_AUTH_PASSWORD)")
    if reply.status_code == 404:
        return NotFound(message)
    if reply.status_code in (400, 413):
        return InputError(message, code=code)
    if reply.status_code == 422:
        kind = TaskFailed if str(reply.request.url.path).startswith("/getresult") else InputError
        return kind(message, code=code)
    return HeavyStackError(message, code=code, status=reply.status_code)


def client_for(settings: Settings, server: str | None, user: str | None, password: str | None) -> TaskClient:
    """A client from options and settings."""
    address = server or f"http://{_host(settings.host)}:{settings.port}"
    return TaskClient(address, user or settings.auth_user, password or known_password(settings))


def _host(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host


def read_workload(file: Path) -> bytes:
    """The workload file's bytes.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}", code="file_not_readable") from None
