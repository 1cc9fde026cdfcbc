"""Headers that every answer carries, whatever made it."""

from __future__ import annotations

from sanic.response import BaseHTTPResponse

_ALWAYS = {
    "x-content-type-options": "nosniff",
    # Not no-referrer: with it browsers send `Origin: null`, and the Origin check would refuse our own forms.
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # For what is no page: JSON, zip, errors. Pages set their own policy with a nonce.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def add_security_headers(response: BaseHTTPResponse) -> None:
    """Add what the handler has not set itself; without a caching rule nothing is stored."""
    headers = response.headers
    for name, value in _ALWAYS.items():
        if name not in headers:
            headers[name] = value
    if "cache-control" not in headers:
        headers["cache-control"] = "no-store"


def page_policy(nonce: str) -> str:
    """Content-Security-Policy of a page that needs no evaluation: our own files, and this page's inline scripts."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
