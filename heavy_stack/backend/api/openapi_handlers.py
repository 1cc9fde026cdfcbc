"""`/openapi.json`, and `/docs` to read and try it: Swagger UI from files of our own."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

import orjson
from sanic import HTTPResponse, Request

from heavy_stack.backend.api.openapi import build_document
from heavy_stack.backend.api.security_headers import page_policy

_FILES = "/static/vendor/swagger-ui"


async def document(request: Request[Any, Any]) -> HTTPResponse:
    """`GET /openapi.json`."""
    headers = {"cache-control": "no-cache"}
    return HTTPResponse(_document_bytes(), headers=headers, content_type="application/json")


async def page(request: Request[Any, Any]) -> HTTPResponse:
    """`GET /docs`."""
    nonce = secrets.token_urlsafe(16)
    headers = {"content-security-policy": page_policy(nonce), "cache-control": "no-store"}
    return HTTPResponse(_page(nonce), headers=headers, content_type="text/html; charset=utf-8")


@cache
def _document_bytes() -> bytes:
    return orjson.dumps(build_document())


def _page(nonce: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>API · Heavy Stack</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/svg+xml" href="/static/img/icon.svg">
<link rel="stylesheet" href="{_FILES}/swagger-ui.css">
</head><body>
<main id="swagger-ui"></main>
<noscript>This page needs JavaScript; the description itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script nonce="{nonce}" src="{_FILES}/swagger-ui-bundle.js"></script>
<script nonce="{nonce}" src="/static/js/swagger_start.js"></script>
</body></html>"""
