"""How unexpected errors of pages are logged."""

from __future__ import annotations

import traceback

import structlog

log = structlog.get_logger("heavy_stack.frontend")


def log_failure(event: str, error: BaseException) -> None:
    """Log where it broke, not what it said: messages of drivers repeat values, and values may be secret."""
    log.error(event, error=type(error).__name__, frames="".join(traceback.format_tb(error.__traceback__)))
