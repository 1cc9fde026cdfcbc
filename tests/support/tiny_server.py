"""A real server process for tests: Sanic with supervised workers, whose children play `slow_job`.

Started as `python -m tests.support.tiny_server PORT SETTINGS`, where SETTINGS is JSON with data_dir and the rest.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from sanic import HTTPResponse, Request, Sanic
from sanic.response import text

SLOW_JOB = "tests.support.slow_job:run_job"


def create_app() -> Sanic:
    """The app; called in the main process and in every web worker."""
    # Every process that Sanic spawns imports this module again, and some of them need none of this.
    from heavy_stack.backend.jobs.supervision import supervise
    from heavy_stack.bootstrap import build_services
    from heavy_stack.observability import set_up_logging
    from tests.support.settings import make_settings

    given = json.loads(sys.argv[2])
    settings = make_settings(Path(given.pop("data_dir")), given.pop("database_url"), **given)
    set_up_logging(settings)
    app = Sanic("TinyServer", configure_logging=False)
    app.config.MOTD = False
    supervise(app, settings, build_services, target=SLOW_JOB)

    @app.get("/pid")
    async def pid(_request: Request) -> HTTPResponse:
        return text(str(os.getpid()))

    return app


if __name__ == "__main__":
    from sanic.worker.loader import AppLoader

    loader = AppLoader(factory=create_app)
    primary = loader.load()
    primary.prepare(host="127.0.0.1", port=int(sys.argv[1]), workers=1, access_log=False)
    Sanic.serve(primary=primary, app_loader=loader)
