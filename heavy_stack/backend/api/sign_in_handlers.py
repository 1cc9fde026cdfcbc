"""The sign-in form: password in, signed cookie out."""

from __future__ import annotations

import secrets
from typing import Any

from sanic import HTTPResponse, Request, redirect

from heavy_stack.backend.api.next_path import local_path
from heavy_stack.backend.api.security_headers import page_policy
from heavy_stack.backend.api.sessions import COOKIE
from heavy_stack.backend.api.web_context import address_of, context_of
from heavy_stack.errors import NotAuthenticated

MAX_FORM_BYTES = 16 * 1024


async def show_sign_in(request: Request[Any, Any]) -> HTTPResponse:
    """`GET /sign-in`: the form; who is signed in goes on at once."""
    context = context_of(request)
    next_path = local_path(request.args.get("next"))
    if await context.authenticator.by_session(request.cookies.get(COOKIE)) is not None:
        return redirect(next_path, status=303)
    return _form(request, None, next_path, 200)


async def sign_in(request: Request[Any, Any]) -> HTTPResponse:
    """`POST /sign-in`: fields user, password and next."""
    context = context_of(request)
    request.body = await context.bodies.read(request, limit=MAX_FORM_BYTES)
    next_path = local_path(_field(request, "next"))
    user, password = _field(request, "user"), _field(request, "password")
    try:
        value = await context.authenticator.sign_in(user, password, address_of(request))
    except NotAuthenticated as error:
        response = _form(request, error.message, next_path, error.status)
        if "retry_after_s" in error.context:
            response.headers["retry-after"] = str(error.context["retry_after_s"])
        return response
    response = redirect(next_path, status=303)
    response.add_cookie(
        COOKIE,
        value,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=context.secure_cookies,
        max_age=context.authenticator.sessions.seconds,
    )
    return response


async def sign_out(request: Request[Any, Any]) -> HTTPResponse:
    """`POST /sign-out`: forget the cookie."""
    response = redirect("/sign-in", status=303)
    response.add_cookie(
        COOKIE, "", path="/", httponly=True, samesite="Lax", secure=context_of(request).secure_cookies, max_age=0
    )
    return response


def _field(request: Request[Any, Any], name: str) -> str:
    return str(request.form.get(name) or "") if request.form else ""


def _form(request: Request[Any, Any], error: str | None, next_path: str, status: int) -> HTTPResponse:
    nonce = secrets.token_urlsafe(16)
    html = context_of(request).sign_in_page(nonce, error, next_path)
    headers = {"content-security-policy": page_policy(nonce), "cache-control": "no-store"}
    return HTTPResponse(html, status, headers, "text/html; charset=utf-8")
