"""Writes a month's log of dashboard queries over `make_dashboards.py`'s events, as five BI tools would send them.

Forty tiles, 2,000 texts: windows of dates that move with the day, other thresholds, lists and LIMITs, each with the
number of times that it ran. The SQL is theirs: odd quoting, subqueries wrapped in subqueries, WHERE 1 = 1.

    python static/samples/dashboard_log.py <workload.json> [--queries 2000] [--url jdbc:duckdb:/…]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dashboard_tiles as tiles
import make_dashboards as events

LOG_START, LOG_DAYS = date(2025, 12, 1), 31
SEED = 20251201
QUERIES = 2_000


class Draw:
    """What a tile's text may vary: the day it was opened, and literals drawn by chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.today = LOG_START + timedelta(days=chance.randrange(LOG_DAYS))

    def back(self, *days: int) -> str:
        """A day before today, one of the given distances."""
        return (self.today - timedelta(days=self._chance.choice(days))).isoformat()

    def day(self) -> str:
        """Today."""
        return self.today.isoformat()

    def month(self, *months: int) -> str:
        """The first of a month, some months before today's."""
        place = self.today.year * 12 + self.today.month - 1 - self._chance.choice(months)
        return date(place // 12, place % 12 + 1, 1).isoformat()

    def one(self, values: list[Any]) -> Any:
        """One of the values; the first ones are the likeliest."""
        return values[min(int(self._chance.expovariate(3.0 / len(values))), len(values) - 1)]

    def some(self, values: list[str], least: int, most: int) -> str:
        """A list for IN."""
        chosen = self._chance.sample(values[: max(most, len(values) // 2)], self._chance.randint(least, most))
        return ", ".join(f"'{value}'" for value in chosen)

    def runs(self, usual: int) -> int:
        """How often the text ran."""
        return max(1, round(usual * self._chance.uniform(0.3, 1.8)))


def log(queries: int = QUERIES) -> list[dict[str, Any]]:
    """The log: query id, text, run count. Tiles come by their weight; a text that comes again adds its runs."""
    chance = random.Random(SEED)
    shares: list[tuple[Callable[[Draw], str], int, int]] = tiles.TILES
    rows: dict[str, dict[str, Any]] = {}
    while len(rows) < queries:
        tile, _, runs = chance.choices(shares, [share for _, share, _ in shares])[0]
        draw = Draw(chance)
        text = tile(draw)
        row = rows.setdefault(
            text, {"queryid": f"{tile.__name__}-{len(rows) + 1:04d}", "query": text, "runquantity": 0}
        )
        row["runquantity"] += draw.runs(runs)
    return list(rows.values())


def workload(url: str, queries: int = QUERIES) -> dict[str, Any]:
    """The whole request."""
    return {"url": url, "ddl": [{"statement": events.create_table()}], "queries": log(queries)}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--url", default="jdbc:duckdb:{lake}/dashboards")
    arguments = parser.parse_args()
    arguments.file.write_text(json.dumps(workload(arguments.url, arguments.queries), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
