"""Starts the worker: `dramatiq heavy_stack.worker:setup`, or `heavy-stack worker`; `serve` starts its own."""

from __future__ import annotations

import signal

import dramatiq

from heavy_stack.backend.engines.processes import die_with_parent
from heavy_stack.backend.jobs import process
from heavy_stack.bootstrap import build_services
from heavy_stack.observability import set_up_logging
from heavy_stack.settings import Settings, load_settings


def setup() -> None:
    """For the `dramatiq` command: bind a broker, made from the environment's settings, in this process.

    Raises:
        SettingsError: A setting is missing or wrong.
    """
    die_with_parent(signal.SIGTERM)  # a killed `dramatiq` master would leave its workers behind
    settings = load_settings()
    set_up_logging(settings)
    dramatiq.set_broker(process.make_broker(settings, build_services))


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; return within 8 seconds of it.

    Raises:
        SettingsError: A setting is missing or wrong.
    """
    process.run(settings, build_services)
