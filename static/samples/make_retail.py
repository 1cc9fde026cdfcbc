"""Makes the sample lakehouse: a retail star schema as Parquet folders, `<folder>/store/<table>/*.parquet`.

Deterministic: every value comes from a hash of the row's number. Skewed (a few products and stores sell most), with
NULLs (promotion, discount, birth year), returns and three years of days. Needs DuckDB only.

    python static/samples/make_retail.py <folder> [--rows 10000000]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sample_tables import TableWriter, command_line, pick, unit

FACT_ROWS = 10_000_000
STORES, PRODUCTS, CUSTOMERS, PROMOTIONS = 400, 5_000, 500_000, 200
FIRST_DAY, DAYS = "2023-01-01", 1_096


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
        'City ' || CAST(i % 120 AS VARCHAR) AS city, {pick(11, REGIONS, "(i % 120)")} AS region,
        {pick(12, FORMATS, power=1.5)} AS format, CAST(60 + floor(4000 * pow({unit(13)}, 2)) AS INTEGER) AS square_metres,
        DATE '2005-01-01' + CAST(floor(6000 * {unit(14)}) AS INTEGER) AS opened_on""",
    ),
    "products": (
        PRODUCTS,
        f"""CAST(i + 1 AS INTEGER) AS product_id, 'Product ' || CAST(i + 1 AS VARCHAR) AS product_name,
        'Brand ' || CAST(CAST(floor(300 * pow({unit(21)}, 1.6)) AS INTEGER) AS VARCHAR) AS brand,
        {pick(22, DEPARTMENTS, "(i % 64)")} AS department, 'Category ' || CAST(i % 64 AS VARCHAR) AS category,
        CAST(2 + 400 * pow({unit(23)}, 3) AS DECIMAL(9,2)) AS list_price,
        DATE '2015-01-01' + CAST(floor(3500 * {unit(24)}) AS INTEGER) AS launched_on""",
    ),
    "customers": (
        CUSTOMERS,
        f"""CAST(i + 1 AS INTEGER) AS customer_id, {pick(31, SEGMENTS, power=1.4)} AS segment,
        {pick(32, ["AT", "BE", "CH", "DE", "ES", "FR", "IT", "NL", "PL", "PT"], power=1.3)} AS country,
        CASE WHEN {unit(33)} < 0.15 THEN NULL ELSE CAST(1940 + floor(65 * {unit(34)}) AS INTEGER) END AS birth_year,
        DATE '2012-01-01' + CAST(floor(4500 * {unit(35)}) AS INTEGER) AS joined_on, {unit(36)} < 0.42 AS newsletter""",
    ),
    "promotions": (
        PROMOTIONS,
        f"""CAST(i + 1 AS INTEGER) AS promotion_id, 'Promotion ' || CAST(i + 1 AS VARCHAR) AS promotion_name,
        {pick(41, KINDS)} AS kind, CAST(5 + floor(45 * {unit(42)}) AS DECIMAL(5,2)) AS percent_off,
        DATE '{FIRST_DAY}' + CAST(floor({DAYS} * {unit(43)}) AS INTEGER) AS starts_on""",
    ),
    "calendar": (
        DAYS,
        f"""DATE '{FIRST_DAY}' + CAST(i AS INTEGER) AS day, CAST(year(DATE '{FIRST_DAY}' + CAST(i AS INTEGER)) AS INTEGER) AS year,
        CAST(quarter(DATE '{FIRST_DAY}' + CAST(i AS INTEGER)) AS INTEGER) AS quarter,
        CAST(month(DATE '{FIRST_DAY}' + CAST(i AS INTEGER)) AS INTEGER) AS month,
        CAST(isodow(DATE '{FIRST_DAY}' + CAST(i AS INTEGER)) AS INTEGER) AS week_day, {unit(51)} < 0.03 AS holiday""",
    ),
}

_DAY = f"DATE '{FIRST_DAY}' + CAST(floor({DAYS} * i / {{rows}}) AS INTEGER)"
SALES = f"""
SELECT CAST(i + 1 AS BIGINT) AS sale_id, d AS sale_date,
    CAST(d AS TIMESTAMP) + to_seconds(CAST(28800 + floor(46800 * {unit(61)}) AS BIGINT)) AS sold_at,
    CAST(1 + floor({STORES} * pow({unit(62)}, 2.2)) AS INTEGER) AS store_id, product_id,
    CAST(1 + floor({CUSTOMERS} * pow({unit(64)}, 1.7)) AS INTEGER) AS customer_id,
    CASE WHEN {unit(65)} < 0.72 THEN NULL ELSE CAST(1 + floor({PROMOTIONS} * {unit(66)}) AS INTEGER) END AS promotion_id,
    {pick(67, CHANNELS, power=1.8)} AS channel, {pick(68, PAYMENTS, power=1.5)} AS payment,
    quantity, unit_price, CASE WHEN {unit(69)} < 0.6 THEN NULL ELSE CAST(unit_price * 0.05 * CAST(floor(8 * {unit(70)}) AS INTEGER) AS DECIMAL(9,2)) END AS discount,
    CAST(unit_price * (0.45 + 0.3 * {unit(71)}) AS DECIMAL(9,2)) AS unit_cost, {unit(72)} < 0.04 AS returned
FROM (SELECT i, {_DAY} AS d, CAST(1 + floor({PRODUCTS} * pow({unit(63)}, 2.5)) AS INTEGER) AS product_id,
        CAST(1 + floor(6 * pow({unit(73)}, 3)) AS INTEGER) AS quantity,
        CAST(2 + 400 * pow({unit(74)}, 4) AS DECIMAL(9,2)) AS unit_price
    FROM range({{low}}, {{high}}) AS r(i))
"""
RETURNS = f"""
SELECT CAST(i + 1 AS BIGINT) AS return_id, CAST(1 + floor({{rows}} * {unit(81)}) AS BIGINT) AS sale_id,
    DATE '{FIRST_DAY}' + CAST(floor({DAYS} * {unit(82)}) AS INTEGER) AS returned_on, {pick(83, REASONS, power=1.4)} AS reason,
    CASE WHEN {unit(84)} < 0.1 THEN NULL ELSE CAST(5 + 300 * pow({unit(85)}, 3) AS DECIMAL(9,2)) END AS refund
FROM range({{count}}) AS r(i)
"""


def _silent(_done: float, _what: str) -> None:
    """Nobody watches."""


def make(folder: Path, rows: int = FACT_ROWS, progress: Callable[[float, str], None] = _silent) -> bool:
    """Write the tables below `folder`; nothing happens when they are there already.

    Args:
        folder: The lake folder, named by `jdbc:duckdb:<folder>`.
        rows: Rows of the fact table `sales`.
        progress: Called with 0..1 and the table's name.

    Returns:
        True when something was written.
    """
    writer = TableWriter(folder, "store", rows)
    if writer.is_done():
        return False

    def sales(low: int, high: int) -> str:
        progress(low / rows, "sales")
        return SALES.format(low=low, high=high, rows=rows)

    for table, (count, columns) in DIMENSIONS.items():
        progress(0.0, table)
        writer.write(
            table, count, lambda low, high, columns=columns: f"SELECT {columns} FROM range({low}, {high}) AS r(i)"
        )
    returned = max(1, rows // 25)
    writer.write("returns", 1, lambda low, high: RETURNS.format(rows=rows, count=returned))
    writer.write("sales", rows, sales)
    writer.finish()
    progress(1.0, "sales")
    return True


if __name__ == "__main__":
    sys.exit(command_line(__doc__, make, FACT_ROWS))
