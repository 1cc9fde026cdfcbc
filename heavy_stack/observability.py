"""Logging, set up once per process: structlog events with fields, and no secret in any of them.

Records of other libraries pass through the same chain. Fields that belong to everything that happens in a task or
request are bound with `log_context(task_id=…)`. SQL literals and credentials are never logged; redaction is the
second fence, for what a library or an exception's text brings along.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

import structlog
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from heavy_stack.settings import Settings

REDACTED: Final = "[redacted]"
log_context = bound_contextvars
"""Bind fields (task_id, stage, rule_id) to every event inside a `with`."""

# sqlglot prints the SQL that it warns about; the others report each step at INFO.
_SILENT = ("sqlglot",)
_QUIET = ("alembic", "aiosqlite", "asyncio", "httpx", "httpcore", "sqlalchemy", "websockets")
_SECRET_NAME = re.compile(r"passw|pwd|secret|token$|authorization|credential|cookie|api_?key|private_?key", re.I)
_SECRETS_IN_TEXT: Final = (
    # scheme://user:password@host
    (re.compile(r"(?P<keep>\b[\w+.-]+://[^\s/:@]*:)[^\s/@]+(?=@)"), rf"\g<keep>{REDACTED}"),
    # Authorization: Basic …
    (re.compile(r"(?P<keep>\b(?:Basic|Bearer)\s+)[A-Za-z0-9+/=._~-]{6,}", re.I), rf"\g<keep>{REDACTED}"),
    # password=…, "password": "…", 'secret_key': '…'
    (
        re.compile(
            r"(?P<keep>\b\w*(?:passw(?:or)?d|pwd|secret|access_?token|api_?key|authorization)\w*[\"']?\s*[=:]\s*[\"']?)"
            r"[^\s\"'&;,)}\[]+",
            re.I,
        ),
        rf"\g<keep>{REDACTED}",
    ),
)
_MAX_DEPTH = 6


def set_up_logging(settings: Settings) -> None:
    """Configure structlog and the standard library's logging; a second call replaces the first."""
    on_terminal = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if on_terminal
        else structlog.processors.JSONRenderer()
    )
    handler = _CurrentStderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class _CurrentStderr(logging.Handler):
    # Looks sys.stderr up for every record: it may be replaced or closed after the set-up (a daemon, a test's capture).
    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            self.handleError(record)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """structlog processor: hide values under secret names, and secrets inside texts."""
    return {key: _clean(key, value, _MAX_DEPTH) for key, value in event.items()}


def redact_text(text: str) -> str:
    """The text with passwords of URLs, authorization headers and `password=…` pairs hidden."""
    for pattern, replacement in _SECRETS_IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _clean(key: object, value: Any, depth: int) -> Any:
    if isinstance(key, str) and _SECRET_NAME.search(key) and value not in (None, "", True, False):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if depth == 0:
        return REDACTED if isinstance(value, Mapping | list | tuple) else value
    if isinstance(value, Mapping):
        return {name: _clean(name, item, depth - 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(None, item, depth - 1) for item in value]
    return value
