"""Makes the sample lakehouse: a retail star schema as Parquet folders, `<folder>/store/<table>/*.parquet`.

Deterministic: every value comes from a hash of the row's number. Skewed (a few products and stores sell most), with
NULLs (promotion, discount, birth year), returns and three years of days. Needs DuckDB only.

    python static/samples/make_retail.py <folder> [--rows 10000000]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

FACT_ROWS = 10_000_000
ROWS_PER_FILE = 1_000_000
STORES, PRODUCTS, CUSTOMERS, PROMOTIONS = 400, 5_000, 500_000, 200
FIRST_DAY, DAYS = "2023-01-01", 1_096
MARKER = "_made.json"


def _unit(seed: int, number: str = "i") -> str:
    """SQL for a number in [0, 1) that depends on the row number and the seed only."""
    return f"((hash({number} * 1000003 + {seed}) % 9007199254740992) / 9007199254740992.0)"


def _pick(seed: int, values: list[str], number: str = "i", power: float = 1.0) -> str:
    items = ", ".join(f"'{v}'" for v in values)
    return f"([{items}])[1 + CAST(floor({len(values)} * pow({_unit(seed, number)}, {power})) AS INTEGER)]"


REGIONS = ["North", "South", "East", "West", "Centre", "Islands"]
FORMATS = ["Flagship", "City", "Mall", "Outlet", "Kiosk"]
DEPARTMENTS = ["Home", "Garden", "Sports", "Toys", "Grocery", "Electronics", "Fashion", "Beauty"]
CHANNELS = ["store", "web", "app", "phone"]
PAYMENTS = ["card", "cash", "wallet", "invoice", "voucher"]
SEGMENTS = ["Consumer", "Family", "Student", "Business", "Club"]
KINDS = ["percent", "bundle", "clearance", "loyalty"]
REASONS = ["damaged", "wrong size", "late", "changed mind", "duplicate"]

DIMENSIONS = {
    "stores": (
        STORES,
        f"""CAST(i + 1 AS INTEGER) AS store_id, 'Store ' || lpad(CAST(i + 1 AS VARCHAR), 3, '0') AS store_name,
        'City ' || CAST(i % 120 AS VARCHAR) AS city, {_pick(11, REGIONS, "(i % 120)")} AS region,
        {_pick(12, FORMATS, power=1.5)} AS format, CAST(60 + floor(4000 * pow({_unit(13)}, 2)) AS INTEGER) AS square_metres,
        DATE '2005-01-01' + CAST(floor(6000 * {_unit(14)}) AS INTEGER) AS opened_on""",
    ),
    "products": (
        PRODUCTS,
        f"""CAST(i + 1 AS INTEGER) AS product_id, 'Product ' || CAST(i + 1 AS VARCHAR) AS product_name,
        'Brand ' || CAST(CAST(floor(300 * pow({_unit(21)}, 1.6)) AS INTEGER) AS VARCHAR) AS brand,
        {_pick(22, DEPARTMENTS, "(i % 64)")} AS department, 'Category ' || CAST(i % 64 AS VARCHAR) AS category,
        CAST(2 + 400 * pow({_unit(23)}, 3) AS DECIMAL(9,2)) AS list_price,
        DATE '2015-01-01' + CAST(floor(3500 * {_unit(24)}) AS INTEGER) AS launched_on""",
    ),
    "customers": (
        CUSTOMERS,
        f"""CAST(i + 1 AS INTEGER) AS customer_id, {_pick(31, SEGMENTS, power=1.4)} AS segment,
        {_pick(32, ["AT", "BE", "CH", "DE", "ES", "FR", "IT", "NL", "PL", "PT"], power=1.3)} AS country,
        CASE WHEN {_unit(33)} < 0.15 THEN NULL ELSE CAST(1940 + floor(65 * {_unit(34)}) AS INTEGER) END AS birth_year,
        DATE '2012-01-01' + CAST(floor(4500 * {_unit(35)}) AS INTEGER) AS joined_on, {_unit(36)} < 0.42 AS newsletter""",
    ),
    "promotions": (
        PROMOTIONS,
        f"""CAST(i + 1 AS INTEGER) AS promotion_id, 'Promotion ' || CAST(i + 1 AS VARCHAR) AS promotion_name,
        {_pick(41, KINDS)} AS kind, CAST(5 + floor(45 * {_unit(42)}) AS DECIMAL(5,2)) AS percent_off,
        DATE '{FIRST_DAY}' + CAST(floor({DAYS} * {_unit(43)}) AS INTEGER) AS starts_on""",
    ),
    "calendar": (
        DAYS,
        f"""DATE '{FIRST_DAY}' + CAST(i AS INTEGER) AS day, CAST(year(DATE '{FIRST_DAY}' + CAST(i AS INTEGER)) AS INTEGER) AS year,
        CAST(quarter(DATE '{FIRST_DAY}' + CAST(i AS INTEGER)) AS INTEGER) AS quarter,
        CAST(month(DATE '{FIRST_DAY}' + CAST(i AS INTEGER)) AS INTEGER) AS month,
        CAST(isodow(DATE '{FIRST_DAY}' + CAST(i AS INTEGER)) AS INTEGER) AS week_day, {_unit(51)} < 0.03 AS holiday""",
    ),
}

_DAY = f"DATE '{FIRST_DAY}' + CAST(floor({DAYS} * i / {{rows}}) AS INTEGER)"
SALES = f"""
SELECT CAST(i + 1 AS BIGINT) AS sale_id, d AS sale_date,
    CAST(d AS TIMESTAMP) + to_seconds(CAST(28800 + floor(46800 * {_unit(61)}) AS BIGINT)) AS sold_at,
    CAST(1 + floor({STORES} * pow({_unit(62)}, 2.2)) AS INTEGER) AS store_id, product_id,
    CAST(1 + floor({CUSTOMERS} * pow({_unit(64)}, 1.7)) AS INTEGER) AS customer_id,
    CASE WHEN {_unit(65)} < 0.72 THEN NULL ELSE CAST(1 + floor({PROMOTIONS} * {_unit(66)}) AS INTEGER) END AS promotion_id,
    {_pick(67, CHANNELS, power=1.8)} AS channel, {_pick(68, PAYMENTS, power=1.5)} AS payment,
    quantity, unit_price, CASE WHEN {_unit(69)} < 0.6 THEN NULL ELSE CAST(unit_price * 0.05 * CAST(floor(8 * {_unit(70)}) AS INTEGER) AS DECIMAL(9,2)) END AS discount,
    CAST(unit_price * (0.45 + 0.3 * {_unit(71)}) AS DECIMAL(9,2)) AS unit_cost, {_unit(72)} < 0.04 AS returned
FROM (SELECT i, {_DAY} AS d, CAST(1 + floor({PRODUCTS} * pow({_unit(63)}, 2.5)) AS INTEGER) AS product_id,
        CAST(1 + floor(6 * pow({_unit(73)}, 3)) AS INTEGER) AS quantity,
        CAST(2 + 400 * pow({_unit(74)}, 4) AS DECIMAL(9,2)) AS unit_price
    FROM range({{low}}, {{high}}) AS r(i))
"""
RETURNS = f"""
SELECT CAST(i + 1 AS BIGINT) AS return_id, CAST(1 + floor({{rows}} * {_unit(81)}) AS BIGINT) AS sale_id,
    DATE '{FIRST_DAY}' + CAST(floor({DAYS} * {_unit(82)}) AS INTEGER) AS returned_on, {_pick(83, REASONS, power=1.4)} AS reason,
    CASE WHEN {_unit(84)} < 0.1 THEN NULL ELSE CAST(5 + 300 * pow({_unit(85)}, 3) AS DECIMAL(9,2)) END AS refund
FROM range({{count}}) AS r(i)
"""


def _silent(_done: float, _what: str) -> None:
    """No progress wanted."""


def make(folder: Path, rows: int = FACT_ROWS, progress: Callable[[float, str], None] = _silent) -> bool:
    """Write the tables below `folder`; nothing happens when they are there already.

    Args:
        folder: The lake folder, named by `jdbc:duckdb:<folder>`.
        rows: Rows of the fact table `sales`.
        progress: Called with 0..1 and the table's name.

    Returns:
        True when something was written.
    """
    marker = folder / MARKER
    if marker.is_file() and json.loads(marker.read_text()).get("rows") == rows:
        return False
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = true")

    def write(table: str, part: int, sql: str) -> None:
        target = folder / "store" / table
        target.mkdir(parents=True, exist_ok=True)
        file = str(target / f"part-{part:03d}.parquet").replace("'", "''")
        connection.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")

    for table, (count, columns) in DIMENSIONS.items():
        progress(0.0, table)
        write(table, 0, f"SELECT {columns} FROM range({count}) AS r(i)")
    write("returns", 0, RETURNS.format(rows=rows, count=max(1, rows // 25)))
    for part, low in enumerate(range(0, rows, ROWS_PER_FILE)):
        progress(low / rows, "sales")
        write("sales", part, SALES.format(low=low, high=min(rows, low + ROWS_PER_FILE), rows=rows))
    marker.write_text(json.dumps({"rows": rows}))
    progress(1.0, "sales")
    return True


def main() -> int:
    """Command line: folder and number of rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=FACT_ROWS)
    arguments = parser.parse_args()
    made = make(arguments.folder, arguments.rows)
    sys.stdout.write(f"{'made' if made else 'already there'}: {arguments.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
