"""The HTML around the pages: head, header, and the element that ReactPy fills. Plain text, so that the header, the
skip link and signing out work before, and without, the websocket.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from html import escape

from heavy_stack.frontend.assets import BRYTHON_FILES, MODULES_FILE, asset_url, brython_url
from heavy_stack.frontend.reactpy_sanic import import_map, mount_script

APP_NAME = "Heavy Stack"


@dataclass(frozen=True)
class Document:
    """A page's HTML and the headers it must be sent with."""

    html: str
    headers: dict[str, str]


def new_nonce() -> str:
    """A fresh nonce for one page's inline scripts."""
    return secrets.token_urlsafe(16)


def content_security_policy(nonce: str) -> str:
    """Our own origin and this page's scripts only; `'unsafe-eval'` is Brython's compiler (docs/security.md)."""
    return (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def page_headers(nonce: str) -> dict[str, str]:
    """Headers of every page."""
    return {
        "content-security-policy": content_security_policy(nonce),
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }


def app_document(title: str, user_name: str, path: str) -> Document:
    """The shell of a ReactPy page.

    Args:
        title: What the browser's tab says, before the product's name.
        user_name: Shown beside the button that signs out.
        path: The page's own path, to mark its entry in the navigation.
    """
    nonce = new_nonce()
    brython = "".join(f'<script defer src="{brython_url(file)}"></script>' for file in BRYTHON_FILES)
    current = ' aria-current="page"' if path == "/" else ""
    body = f"""<brython-options pythonpath="/static/py"></brython-options>
<a class="skip-link" href="#main">Skip to content</a>
<header class="site-header"><div class="bar">
<a class="brand" href="/"><img src="{asset_url("img/icon.svg")}" alt="" width="28" height="28">{APP_NAME}</a>
<nav aria-label="Main"><a href="/"{current}>New task</a> <a href="/docs">API</a></nav>
<form class="sign-out" method="post" action="/sign-out"><span class="user">{escape(user_name)}</span>
<button class="quiet" type="submit">Sign out</button></form>
</div></header>
<p id="connection" class="connection" role="status" hidden></p>
<main id="main" tabindex="-1"><div id="app"></div><p class="loading">Loading…</p>
<noscript><p class="notice notice-error">This page needs JavaScript. The task API works without it: see
<a href="/docs">/docs</a>.</p></noscript></main>
<script type="module" nonce="{nonce}">{mount_script("app")}</script>
{brython}<script defer src="{asset_url(MODULES_FILE)}"></script>
<script type="text/python" id="heavy_boot" nonce="{nonce}">from reactpy_bridge import resident
resident.start()</script>"""
    head = f"""<script src="{asset_url("js/slim.js")}"></script>
<script src="{asset_url("js/connection.js")}"></script>
<script type="importmap" nonce="{nonce}">{import_map()}</script>"""
    return Document(_html(title, head, body), page_headers(nonce))


def plain_document(title: str, content: str, nonce: str) -> Document:
    """A page without ReactPy: `content` is HTML that is safe as it stands."""
    body = f"""<a class="skip-link" href="#main">Skip to content</a>
<header class="site-header"><div class="bar">
<a class="brand" href="/"><img src="{asset_url("img/icon.svg")}" alt="" width="28" height="28">{APP_NAME}</a>
</div></header>
<main id="main" tabindex="-1">{content}</main>"""
    return Document(_html(title, "", body), page_headers(nonce))


def render_error(status: int, title: str, detail: str) -> tuple[str, dict[str, str]]:
    """The page for an error, also for addresses that lead nowhere: HTML and headers."""
    heading = "Page not found" if status == 404 else title
    content = f"""<section class="card narrow"><h1>{escape(heading)}</h1>
<p>{escape(detail)}</p>
<p class="actions"><a class="button" href="/">Go to your tasks</a></p></section>"""
    document = plain_document(heading, content, new_nonce())
    return document.html, document.headers


def _html(title: str, head: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>{escape(title)} · {APP_NAME}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" type="image/svg+xml" href="{asset_url("img/icon.svg")}">
<link rel="stylesheet" href="{asset_url("css/app.css")}">
{head}</head>
<body>{body}</body></html>"""
