"""Sends a finished answer: never changed, so it has an ETag; stored gzip'ed, so mostly sent as it is stored."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping

from sanic import HTTPResponse

from heavy_stack.shared_models.tasks import StoredAnswer

# Unpacking less than this takes less time than handing it to a thread.
_INLINE_BYTES = 32 * 1024


async def answer_response(answer: StoredAnswer, headers: Mapping[str, str]) -> HTTPResponse:
    """The answer for a request with those headers: 304, the stored bytes, or the unpacked ones.

    The two representations have different strong ETags; either of them is recognised in `If-None-Match`.
    """
    tag = answer.etag.removeprefix("W/").strip('"')
    tags = {"identity": f'"{tag}"', "gzip": f'"{tag}-gzip"'}
    packed = accepts_gzip(headers.get("accept-encoding"))
    shown = {
        "etag": tags["gzip" if packed else "identity"],
        "vary": "accept-encoding",
        "cache-control": "private, no-cache",
    }
    if _matches(headers.get("if-none-match"), tags):
        return HTTPResponse(None, status=304, headers=shown)
    body = answer.body_gzip
    if packed:
        shown["content-encoding"] = "gzip"
    elif len(body) > _INLINE_BYTES:
        body = await asyncio.to_thread(gzip.decompress, body)
    else:
        body = gzip.decompress(body)
    return HTTPResponse(body, headers=shown, content_type="application/json")


def accepts_gzip(header: str | None) -> bool:
    """True when an `Accept-Encoding` header allows gzip; without the header plain bytes are the safe answer."""
    allowed: dict[str, bool] = {}
    for part in (header or "").split(","):
        name, _, parameters = part.strip().lower().partition(";")
        weight = parameters.replace(" ", "").removeprefix("q=")
        allowed[name.strip()] = bool(weight.strip("0.")) if parameters else True
    if "gzip" in allowed:
        return allowed["gzip"]
    return allowed.get("*", False)


def _matches(header: str | None, tags: Mapping[str, str]) -> bool:
    if not header:
        return False
    given = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in given or not given.isdisjoint(tags.values())
