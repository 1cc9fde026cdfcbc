"""What handlers take from a request: the task's id in its three spellings, and bodies with a limit."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from sanic import Request
from sanic.http import Http

from heavy_stack.errors import BodyTooLarge, InputError, NotFound
from heavy_stack.shared_models.tasks import TaskId

# A client that sends too much sees the refusal only after it has sent everything; up to here it may.
DRAIN_BYTES = 512 * 1024 * 1024
# Bodies above this size are received a few at a time, so that many large ones do not add up in memory.
LARGE_BODY_BYTES = 4 * 1024 * 1024
LARGE_BODIES_AT_ONCE = 2
# Multipart boundaries and headers around an uploaded file.
MULTIPART_BYTES = 64 * 1024
# What is received and thrown away where no body is needed.
UNUSED_BYTES = 64 * 1024

_UNKNOWN = "There is no task with that id."


def task_id_of(query_string: str) -> TaskId:
    """The id in `?task_id=<id>`, `?taskid=<id>` or `?<id>` (where Sanic's `request.args` is empty).

    Raises:
        InputError: There is none (400).
        NotFound: It is no id, so no task has it.
    """
    bare: str | None = None
    for part in query_string.split("&"):
        name, equals, value = part.partition("=")
        if name in ("task_id", "taskid"):
            return parse_task_id(unquote_plus(value))
        if bare is None and name and not value:
            bare = unquote_plus(name)
    if bare is None:
        raise InputError(
            "The task's id is missing: write ?task_id=<id>, ?taskid=<id> or ?<id>.", code="task_id_missing", status=400
        )
    return parse_task_id(bare)


def parse_task_id(text: str) -> TaskId:
    """A UUID in its usual spelling.

    Raises:
        NotFound: Anything else.
    """
    if len(text) not in (32, 36):
        raise NotFound(_UNKNOWN)
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(_UNKNOWN) from None


class BodyReader:
    """Receives request bodies of one process.

    Args:
        max_bytes: `HEAVY_MAX_BODY_BYTES`.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._large = asyncio.Semaphore(LARGE_BODIES_AT_ONCE)

    async def read(self, request: Request[Any, Any], *, extra: int = 0, limit: int | None = None) -> bytes:
        """The whole body of a streaming route.

        Args:
            request: Its body is not yet read.
            extra: Allowance above the service's limit, for what surrounds an uploaded file.
            limit: A smaller limit than the service's.

        Raises:
            BodyTooLarge: Above the limit. The rest is received and thrown away first, since most clients read no answer
                before they have sent everything.
        """
        limit = self.max_bytes + extra if limit is None else limit
        declared = _declared_size(request)
        if declared > limit:
            raise await self._refuse(request, limit, 0, drain=declared <= DRAIN_BYTES)
        if declared <= LARGE_BODY_BYTES and "transfer-encoding" not in request.headers:
            return await self._receive(request, limit)
        async with self._large:
            return await self._receive(request, limit)

    async def discard(self, request: Request[Any, Any]) -> None:
        """Throw away the body of a request that needs none.

        Raises:
            BodyTooLarge: It is larger than a form of ours could be.
        """
        stream = _stream_of(request)
        if stream is not None and stream.request_body:
            await self.read(request, limit=UNUSED_BYTES)

    async def _receive(self, request: Request[Any, Any], limit: int) -> bytes:
        stream = _stream_of(request)
        if stream is None or not stream.request_body:
            return b""
        chunks: list[bytes] = []
        size = 0
        async for chunk in stream:
            size += len(chunk)
            if size > limit:
                chunks.clear()
                raise await self._refuse(request, limit, size, drain=True)
            chunks.append(chunk)
        return b"".join(chunks)

    async def _refuse(self, request: Request[Any, Any], limit: int, size: int, *, drain: bool) -> BodyTooLarge:
        stream = _stream_of(request)
        if stream is not None:
            if drain and not request.headers.get("expect"):
                async for chunk in stream:
                    size += len(chunk)
                    if size > DRAIN_BYTES:
                        break
            if stream.request_body:
                stream.keep_alive = False
        return BodyTooLarge(f"The body is larger than the {limit:,} bytes that this address takes.")


def _stream_of(request: Request[Any, Any]) -> Http | None:
    return request.stream if isinstance(request.stream, Http) else None


def _declared_size(request: Request[Any, Any]) -> int:
    declared = request.headers.get("content-length", "0")
    return int(declared) if declared.isdigit() else 0
