"""Makes an event table as Parquet, `<folder>/web/events/*.parquet`: a year of one site's clicks, in order of time.

Deterministic: every value comes from a hash of the event's, session's or user's number. Skewed (few users, pages and
countries make most events), with NULLs, bots, a text column that holds JSON, and three columns that nearly say the same.
The queries over it are written by `dashboard_log.py`.

    python static/samples/make_dashboards.py <folder> [--rows 20000000]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import duckdb

EVENTS = 20_000_000
USERS = 250_000
EVENTS_PER_SESSION = 8
FIRST_DAY, DAYS = "2025-01-01", 365
ROWS_PER_FILE = 1_000_000
MARKER = "_made.json"

COUNTRIES = [
    "US",
    "DE",
    "GB",
    "FR",
    "IN",
    "BR",
    "JP",
    "CA",
    "ES",
    "IT",
    "NL",
    "PL",
    "SE",
    "AT",
    "CH",
    "BE",
    "DK",
    "NO",
    "FI",
    "PT",
    "IE",
    "CZ",
    "HU",
    "RO",
    "GR",
    "BG",
    "HR",
    "SK",
    "SI",
    "LT",
    "LV",
    "EE",
    "TR",
    "UA",
    "IL",
    "ZA",
    "EG",
    "NG",
    "KE",
    "MA",
    "AU",
    "NZ",
    "SG",
    "MY",
    "TH",
    "VN",
    "PH",
    "ID",
    "KR",
    "TW",
    "HK",
    "MX",
    "AR",
    "CL",
    "CO",
    "PE",
    "UY",
    "AE",
    "SA",
    "QA",
]
TYPES = ["page_view", "click", "scroll", "search", "add_to_cart", "checkout", "purchase", "refund", "login", "error"]
DEVICES = ["mobile", "desktop", "tablet", "tv"]
SYSTEMS = ["Android", "iOS", "Windows", "macOS", "Linux", "Other"]
BROWSERS = ["Chrome", "Safari", "Firefox", "Edge", "Samsung Internet", "Opera", "Brave", "UC", "Bot"]
SECTIONS = ["home", "product", "category", "cart", "help", "blog", "account", "search"]
CAMPAIGNS = ["spring_sale", "newsletter", "brand", "retarget", "summer", "partner", "black_friday"]
REFERRERS = ["google", "direct", "facebook", "instagram", "bing", "newsletter", "partner", "tiktok", "reddit"]
COLUMNS = [
    ("event_id", "bigint"),
    ("event_time", "timestamp(6)"),
    ("event_date", "date"),
    ("user_id", "bigint"),
    ("session_id", "varchar"),
    ("event_type", "varchar"),
    ("action", "varchar"),
    ("page_url", "varchar"),
    ("section", "varchar"),
    ("referrer", "varchar"),
    ("campaign", "varchar"),
    ("country", "varchar"),
    ("city", "varchar"),
    ("device", "varchar"),
    ("os", "varchar"),
    ("browser", "varchar"),
    ("plan", "varchar"),
    ("variant", "varchar"),
    ("amount", "decimal(10,2)"),
    ("items", "integer"),
    ("duration_ms", "integer"),
    ("is_bot", "boolean"),
    ("properties", "varchar"),
]
"""What the table holds: name and Trino type."""


def _unit(seed: int, number: str) -> str:
    """SQL for a number in [0, 1) that depends on the number and the seed only."""
    return f"((hash({number} * 1000003 + {seed}) % 9007199254740992) / 9007199254740992.0)"


def _pick(seed: int, values: list[str], number: str, power: float = 1.0) -> str:
    items = ", ".join(f"'{v}'" for v in values)
    return f"([{items}])[1 + CAST(floor({len(values)} * pow({_unit(seed, number)}, {power})) AS INTEGER)]"


def _some(seed: int, share: float, value: str, number: str) -> str:
    return f"CASE WHEN {_unit(seed, number)} < {share} THEN {value} END"


# A session starts at a time that grows with its number; its events follow within minutes. Most start by day.
_START = (
    f"TIMESTAMP '{FIRST_DAY} 00:00:00' + to_days(CAST(floor({DAYS} * s / {{sessions}}.0) AS INTEGER))"
    f" + to_seconds(CAST(21600 + 64000 * sqrt({_unit(1, 's')}) * {_unit(2, 's')} AS BIGINT))"
)
EVENTS_SQL = f"""
SELECT CAST(i AS BIGINT) AS event_id, t AS event_time, CAST(t AS DATE) AS event_date, u AS user_id,
    substr(md5(CAST(s AS VARCHAR)), 1, 16) AS session_id, kind AS event_type,
    kind || '_' || CAST(CAST(floor(4 * pow({_unit(11, "i")}, 1.5)) AS INTEGER) AS VARCHAR) AS action,
    '/' || section || '/' || CAST(CAST(floor(300 * pow({_unit(12, "i")}, 2.2)) AS INTEGER) AS VARCHAR) AS page_url, section,
    {_some(13, 0.85, _pick(14, REFERRERS, "s", 1.6), "s")} AS referrer, {_some(15, 0.3, _pick(16, CAMPAIGNS, "s", 1.3), "s")} AS campaign,
    {_pick(17, COUNTRIES, "u", 3.0)} AS country, 'City ' || CAST(CAST(floor(1200 * pow({_unit(18, "u")}, 2.0)) AS INTEGER) AS VARCHAR) AS city,
    {_pick(19, DEVICES, "s", 1.8)} AS device, {_pick(20, SYSTEMS, "s", 1.4)} AS os, {_pick(21, BROWSERS, "s", 2.0)} AS browser,
    {_some(22, 0.6, _pick(23, ["free", "pro", "team"], "u", 1.8), "u")} AS plan,
    {_some(24, 0.5, _pick(25, ["A", "B"], "u"), "u")} AS variant,
    CASE WHEN kind IN ('purchase', 'refund') THEN CAST((CASE kind WHEN 'refund' THEN -1 ELSE 1 END) * (4 + 900 * pow({_unit(26, "i")}, 4)) AS DECIMAL(10,2)) END AS amount,
    CASE WHEN kind IN ('add_to_cart', 'purchase') THEN CAST(1 + floor(9 * pow({_unit(27, "i")}, 3)) AS INTEGER) END AS items,
    {_some(28, 0.9, f"CAST(20 + 30000 * pow({_unit(29, 'i')}, 5) AS INTEGER)", "i")} AS duration_ms, {_unit(30, "s")} < 0.06 AS is_bot,
    '{{"ab": "' || {_pick(31, ["x", "y", "z"], "u")} || '", "pos": ' || CAST(i % 40 AS VARCHAR) || ', "q": "' ||
        CASE kind WHEN 'search' THEN 'term ' || CAST(CAST(floor(5000 * pow({_unit(32, "i")}, 2.5)) AS INTEGER) AS VARCHAR) ELSE '' END || '"}}' AS properties
FROM (
    SELECT i, s, u, {_pick(41, SECTIONS, "i", 1.7)} AS section, {_pick(42, TYPES, "i", 2.4)} AS kind,
        {_START} + to_seconds(CAST((i % {EVENTS_PER_SESSION}) * 25 + 20 * {_unit(43, "i")} AS BIGINT)) AS t
    FROM (
        SELECT i, i // {EVENTS_PER_SESSION} AS s,
            CAST(1 + floor({USERS} * pow({_unit(44, f"(i // {EVENTS_PER_SESSION})")}, 2.0)) AS BIGINT) AS u
        FROM range({{low}}, {{high}}) AS r(i)
    )
)
"""


def create_table() -> str:
    """The table's DDL."""
    columns = ",\n".join(f"  {name} {kind}" for name, kind in COLUMNS)
    return f"CREATE TABLE dashboards.web.events (\n{columns}\n) WITH (format = 'PARQUET', partitioning = ARRAY['month(event_time)'])"


def make(folder: Path, rows: int = EVENTS) -> bool:
    """Write the table below `folder`; nothing happens when it is there already."""
    marker = folder / MARKER
    if marker.is_file() and json.loads(marker.read_text()).get("rows") == rows:
        return False
    target = folder / "web" / "events"
    target.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = true")
    sessions = -(-rows // EVENTS_PER_SESSION)
    for part, low in enumerate(range(0, rows, ROWS_PER_FILE)):
        file = str(target / f"part-{part:03d}.parquet").replace("'", "''")
        sql = EVENTS_SQL.replace("{low}", str(low)).replace("{high}", str(min(rows, low + ROWS_PER_FILE)))
        sql = sql.replace("{sessions}", str(sessions))
        connection.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
    marker.write_text(json.dumps({"rows": rows}))
    return True


def main() -> int:
    """Command line: folder and number of rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=EVENTS)
    arguments = parser.parse_args()
    made = make(arguments.folder, arguments.rows)
    sys.stdout.write(f"{'made' if made else 'already there'}: {arguments.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
