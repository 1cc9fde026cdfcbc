"""A worker process for test_claims.py: claims and finishes tasks until there is none, and prints what it claimed."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from heavy_stack import bootstrap
from tests.support.factories import answer_body
from tests.support.settings import make_settings


async def main(data_dir: str, database_url: str, name: str, parallel: int) -> list[str]:
    """Claim with several loops at once, as several worker threads would."""
    services = bootstrap.build_services(make_settings(Path(data_dir), database_url or None))
    claimed: list[str] = []

    async def work(loop: int) -> None:
        while (claimed_work := await services.work.claim(f"{name}-{loop}", 60)) is not None:
            claimed.append(str(claimed_work.task_id))
            assert await services.work.finish(claimed_work, answer_body(claimed_work.task_id), name)

    await asyncio.gather(*(work(loop) for loop in range(parallel)))
    await services.close()
    return claimed


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(*sys.argv[1:4], parallel=3))))
