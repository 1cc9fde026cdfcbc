"""Makes an event table as Parquet, `<folder>/web/events/*.parquet`: a year of one site's clicks, in order of time.

Deterministic: every value comes from a hash of the event's, session's or user's number. Skewed (few users, pages and
countries make most events), with NULLs, bots, a text column that holds JSON, and three columns that nearly say the same.
The queries over it are written by `dashboard_log.py`.

    python static/samples/make_dashboards.py <folder> [--rows 20000000]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sample_tables import TableWriter, command_line, pick, some, unit

EVENTS = 20_000_000
USERS = 250_000
EVENTS_PER_SESSION = 8
FIRST_DAY, DAYS = "2025-01-01", 365

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


# A session starts at a time that grows with its number; its events follow within minutes. Most start by day.
_START = (
    f"TIMESTAMP '{FIRST_DAY} 00:00:00' + to_days(CAST(floor({DAYS} * s / {{sessions}}.0) AS INTEGER))"
    f" + to_seconds(CAST(21600 + 64000 * sqrt({unit(1, 's')}) * {unit(2, 's')} AS BIGINT))"
)
EVENTS_SQL = f"""
SELECT CAST(i AS BIGINT) AS event_id, t AS event_time, CAST(t AS DATE) AS event_date, u AS user_id,
    substr(md5(CAST(s AS VARCHAR)), 1, 16) AS session_id, kind AS event_type,
    kind || '_' || CAST(CAST(floor(4 * pow({unit(11, "i")}, 1.5)) AS INTEGER) AS VARCHAR) AS action,
    '/' || section || '/' || CAST(CAST(floor(300 * pow({unit(12, "i")}, 2.2)) AS INTEGER) AS VARCHAR) AS page_url, section,
    {some(13, 0.85, pick(14, REFERRERS, "s", 1.6), "s")} AS referrer, {some(15, 0.3, pick(16, CAMPAIGNS, "s", 1.3), "s")} AS campaign,
    {pick(17, COUNTRIES, "u", 3.0)} AS country, 'City ' || CAST(CAST(floor(1200 * pow({unit(18, "u")}, 2.0)) AS INTEGER) AS VARCHAR) AS city,
    {pick(19, DEVICES, "s", 1.8)} AS device, {pick(20, SYSTEMS, "s", 1.4)} AS os, {pick(21, BROWSERS, "s", 2.0)} AS browser,
    {some(22, 0.6, pick(23, ["free", "pro", "team"], "u", 1.8), "u")} AS plan,
    {some(24, 0.5, pick(25, ["A", "B"], "u"), "u")} AS variant,
    CASE WHEN kind IN ('purchase', 'refund') THEN CAST((CASE kind WHEN 'refund' THEN -1 ELSE 1 END) * (4 + 900 * pow({unit(26, "i")}, 4)) AS DECIMAL(10,2)) END AS amount,
    CASE WHEN kind IN ('add_to_cart', 'purchase') THEN CAST(1 + floor(9 * pow({unit(27, "i")}, 3)) AS INTEGER) END AS items,
    {some(28, 0.9, f"CAST(20 + 30000 * pow({unit(29, 'i')}, 5) AS INTEGER)", "i")} AS duration_ms, {unit(30, "s")} < 0.06 AS is_bot,
    '{{"ab": "' || {pick(31, ["x", "y", "z"], "u")} || '", "pos": ' || CAST(i % 40 AS VARCHAR) || ', "q": "' ||
        CASE kind WHEN 'search' THEN 'term ' || CAST(CAST(floor(5000 * pow({unit(32, "i")}, 2.5)) AS INTEGER) AS VARCHAR) ELSE '' END || '"}}' AS properties
FROM (
    SELECT i, s, u, {pick(41, SECTIONS, "i", 1.7)} AS section, {pick(42, TYPES, "i", 2.4)} AS kind,
        {_START} + to_seconds(CAST((i % {EVENTS_PER_SESSION}) * 25 + 20 * {unit(43, "i")} AS BIGINT)) AS t
    FROM (
        SELECT i, i // {EVENTS_PER_SESSION} AS s,
            CAST(1 + floor({USERS} * pow({unit(44, f"(i // {EVENTS_PER_SESSION})")}, 2.0)) AS BIGINT) AS u
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
    writer = TableWriter(folder, "web", rows)
    if writer.is_done():
        return False
    sessions = str(-(-rows // EVENTS_PER_SESSION))

    def query(low: int, high: int) -> str:
        sql = EVENTS_SQL.replace("{low}", str(low)).replace("{high}", str(high))
        return sql.replace("{sessions}", sessions)

    writer.write("events", rows, query)
    writer.finish()
    return True


if __name__ == "__main__":
    sys.exit(command_line(__doc__, make, EVENTS))
