"""Builds the web app; the only file that `sanic` starts: `sanic heavy_stack.main:create_app --factory`.

Once per server, in the main process: folders, secrets, migrations, and the worker processes. Once per web process:
services, built when it starts and closed when it has stopped.
"""

from __future__ import annotations

import socket
import sys
from functools import partial
from typing import Any

import structlog
from sanic import Request, Sanic
from sanic.response import BaseHTTPResponse
from sanic.worker.loader import AppLoader

from heavy_stack.backend.api.authentication import Authenticator
from heavy_stack.backend.api.errors import install_error_handler
from heavy_stack.backend.api.origin import Origins
from heavy_stack.backend.api.request_reading import MULTIPART_BYTES, BodyReader
from heavy_stack.backend.api.routes import install_routes, is_page
from heavy_stack.backend.api.security_headers import add_security_headers
from heavy_stack.backend.api.sessions import COOKIE, Sessions
from heavy_stack.backend.api.web_context import WebContext, context_of, finish_owned_work, is_own_origin
from heavy_stack.backend.jobs import message_sender
from heavy_stack.backend.jobs.supervision import supervise
from heavy_stack.backend.jobs.wake_up import PostgresSender
from heavy_stack.backend.services import Services, set_current_services
from heavy_stack.bootstrap import PASSWORD_FILE, build_services, migrate, prepare, secret_keys
from heavy_stack.errors import SettingsError
from heavy_stack.frontend.documents import render_error
from heavy_stack.frontend.routes import install_pages
from heavy_stack.frontend.sign_in_page import render_sign_in
from heavy_stack.observability import set_up_logging
from heavy_stack.settings import Settings, load_settings
from heavy_stack.shared_models.users import User

APP_NAME = "heavy_stack"
# Sanic's manager gives a stopping process 10 seconds, whatever it was told.
GRACEFUL_S = 7.0
# A body of 64 MB may come over a slow line; it is received inside the handler.
ANSWER_WITHIN_S = 300

log = structlog.get_logger("heavy_stack.web")


def create_app() -> Sanic[Any, Any]:
    """The web app, from the environment's settings. Nothing is made or connected before the server starts.

    Raises:
        SettingsError: A setting is missing or wrong.
    """
    return build_app(load_settings())


def build_app(settings: Settings) -> Sanic[Any, Any]:
    """The web app with its routes, pages and listeners."""
    set_up_logging(settings)
    app: Sanic[Any, Any] = Sanic(APP_NAME, configure_logging=False)
    app.config.update(
        ACCESS_LOG=False,
        MOTD=False,
        AUTO_EXTEND=False,
        REQUEST_MAX_SIZE=settings.max_body_bytes + MULTIPART_BYTES,
        GRACEFUL_SHUTDOWN_TIMEOUT=GRACEFUL_S,
        GRACEFUL_TCP_CLOSE_TIMEOUT=1.0,
        RESPONSE_TIMEOUT=ANSWER_WITHIN_S,
        FALLBACK_ERROR_FORMAT="json",
    )
    app.register_listener(partial(_before_first_process, settings), "main_process_start")
    app.register_listener(partial(_start, settings), "before_server_start")
    app.register_listener(_stop, "after_server_stop")
    app.register_middleware(_finish_response, "response")
    install_error_handler(app, is_page=is_page, error_page=render_error)
    install_routes(app)
    install_pages(app, find_user=find_user, origin_allowed=is_own_origin)
    supervise(app, settings, build_services)
    return app


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT: web processes, workers and a watchdog under Sanic's manager.

    Raises:
        SettingsError: A setting is wrong, the database is not ours, or the port is taken.
    """
    set_up_logging(settings)
    given, settings = settings, prepare(settings)
    _check_port(settings)
    loader = AppLoader(factory=partial(build_app, settings))
    app = loader.load()
    app.prepare(
        host=settings.host,
        port=settings.port,
        workers=settings.web_workers,
        access_log=False,
        motd=False,
    )
    _say_where(given, settings)
    Sanic.serve(primary=app, app_loader=loader)


async def find_user(request: Request[Any, Any]) -> User | None:
    """The signed-in user of a page's request or websocket."""
    return await context_of(request).authenticator.by_session(request.cookies.get(COOKIE))


def _before_first_process(settings: Settings, app: Sanic[Any, Any]) -> None:
    migrate(prepare(settings))
    log.info("database.ready", source=settings.database_source, kind=settings.database.get_backend_name())


async def _start(settings: Settings, app: Sanic[Any, Any]) -> None:
    set_up_logging(settings)
    if not hasattr(app, "multiplexer"):  # one process without a manager: there was no main process before this one
        _before_first_process(settings, app)
    services = build_services(settings, sender=message_sender(settings))
    await services.start()
    app.ctx.web = _web_context(services)
    set_current_services(services)


async def _stop(app: Sanic[Any, Any]) -> None:
    context: WebContext | None = getattr(app.ctx, "web", None)
    if context is None:
        return
    await finish_owned_work()
    set_current_services(None)
    if isinstance(context.services.sender, PostgresSender):
        await context.services.sender.close()
    await context.services.close()


def _web_context(services: Services) -> WebContext:
    settings = services.settings
    password = settings.auth_password.get_secret_value() if settings.auth_password else ""

    async def ensure_user(name: str) -> User:
        async with services.unit_of_work():
            return await services.users.ensure_user(name)

    return WebContext(
        services=services,
        authenticator=Authenticator(
            settings.auth_user,
            password,
            Sessions(secret_keys(settings), password, hours=settings.session_hours),
            ensure_user,
        ),
        origins=Origins(settings.public_origin, settings.proxies),
        bodies=BodyReader(settings.max_body_bytes),
        sign_in_page=render_sign_in,
    )


async def _finish_response(request: Request[Any, Any], response: BaseHTTPResponse) -> None:
    add_security_headers(response)


def _check_port(settings: Settings) -> None:
    # Before anything is migrated or started; Sanic would say it with a traceback.
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingsError(
                f"HEAVY_HOST, HEAVY_PORT: cannot listen on {settings.host}:{settings.port}: {error.strerror or error}"
            ) from None


def _say_where(given: Settings, settings: Settings) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = settings.public_origin or f"http://{host}:{settings.port}"
    password = settings.auth_password if given.auth_password is None else None
    if password is None:
        log.info("server.starts", address=address)
        return
    # A generated password is shown to a person at a terminal; a log, which is kept, gets the path of its 0600 file.
    if sys.stderr.isatty():
        sys.stderr.write(f"{address} · sign in as {settings.auth_user} with {password.get_secret_value()}\n")
    else:
        log.info("server.starts", address=address, sign_in_file=str(settings.data_dir / PASSWORD_FILE))
