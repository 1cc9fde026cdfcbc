"""A small design over the star schema and right rewrites onto it: the start of wrong ones."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import DesignTable, RewrittenText, StoredColumn, TableName
from tests.unit.backend.advisor.verify.star import TABLES

DAILY = TableName("lake", "design", "daily")
_COLUMNS = (
    ("day", "date", "day"),
    ("store_id", "integer", "store_id"),
    ("status", "varchar", "status"),
    ("returned", "boolean", "returned"),
    ("n", "bigint", "COUNT(*)"),
    ("quantity_sum", "bigint", "SUM(quantity)"),
    ("price_sum", "decimal(38,2)", "SUM(price)"),
    ("price_count", "bigint", "COUNT(price)"),
    ("price_max", "decimal(12,2)", "MAX(price)"),
    ("discount_sum", "double", "SUM(discount)"),
    ("discount_count", "bigint", "COUNT(discount)"),
)
SELECT = f"""SELECT {", ".join(f"{sql} AS {name}" for name, _, sql in _COLUMNS)} FROM lake.shop.sales
GROUP BY day, store_id, status, returned"""


def daily(select: str = SELECT) -> DesignTable:
    """The rollup by day, store, status and returned, filled by `select`."""
    columns = ", ".join(f"{name} {kind}" for name, kind, _ in _COLUMNS)
    names = ", ".join(name for name, _, _ in _COLUMNS)
    return DesignTable(
        candidate="daily",
        name=DAILY,
        rule="rollup",
        why="",
        columns=tuple(StoredColumn(name, sql, kind, "measure") for name, kind, sql in _COLUMNS),
        source_tables=(TABLES[0].name,),
        create=f"CREATE TABLE {DAILY} ({columns})",
        insert=f"INSERT INTO {DAILY} ({names}) {select}",
        refresh="",
    )


PAIRS: dict[str, tuple[str, str]] = {
    "march_by_store": (
        """SELECT store_id, COUNT(*) AS n, SUM(quantity) AS q FROM lake.shop.sales
        WHERE (returned = false OR returned IS NULL) AND day BETWEEN DATE '2023-03-01' AND DATE '2023-03-31'
        GROUP BY store_id HAVING SUM(quantity) > 10""",
        """SELECT store_id, SUM(n) AS n, SUM(quantity_sum) AS q FROM lake.design.daily
        WHERE (returned = false OR returned IS NULL) AND day BETWEEN DATE '2023-03-01' AND DATE '2023-03-31'
        GROUP BY store_id HAVING SUM(quantity_sum) > 10""",
    ),
    "average_discount": (
        """SELECT status, AVG(discount) AS a, COUNT(price) AS p FROM lake.shop.sales
        WHERE status IN ('paid', 'open', 'lost') GROUP BY status ORDER BY a DESC LIMIT 5""",
        """SELECT status, SUM(discount_sum) / SUM(discount_count) AS a, SUM(price_count) AS p FROM lake.design.daily
        WHERE status IN ('paid', 'open', 'lost') GROUP BY status ORDER BY a DESC LIMIT 5""",
    ),
    "by_region": (
        """SELECT t.region, SUM(s.price) AS total, COUNT(*) AS n, MAX(s.price) AS top
        FROM lake.shop.sales s LEFT JOIN lake.shop.stores t ON s.store_id = t.store_id
        WHERE s.day >= DATE '2023-01-01' GROUP BY t.region""",
        """SELECT t.region, CAST(SUM(d.price_sum) AS decimal(38,2)) AS total, SUM(d.n) AS n, MAX(d.price_max) AS top
        FROM lake.design.daily d LEFT JOIN lake.shop.stores t ON d.store_id = t.store_id
        WHERE d.day >= DATE '2023-01-01' GROUP BY t.region""",
    ),
    "one_number": (
        """SELECT COUNT(*) AS n, MAX(day) AS latest, SUM(CASE WHEN returned THEN 1 ELSE 0 END) AS back
        FROM lake.shop.sales WHERE store_id = 7 AND status <> 'lost'""",
        """SELECT COALESCE(SUM(n), 0) AS n, MAX(day) AS latest, SUM(CASE WHEN returned THEN n ELSE 0 END) AS back
        FROM lake.design.daily WHERE store_id = 7 AND status <> 'lost'""",
    ),
    "best_stores": (
        """WITH totals AS (SELECT status, store_id, COUNT(*) AS n FROM lake.shop.sales GROUP BY status, store_id),
        ranked AS (SELECT status, store_id, n, RANK() OVER (PARTITION BY status ORDER BY n DESC) AS place FROM totals)
        SELECT status, store_id, n, place FROM ranked WHERE place <= 3 ORDER BY status, place""",
        """WITH totals AS (SELECT status, store_id, SUM(n) AS n FROM lake.design.daily GROUP BY status, store_id),
        ranked AS (SELECT status, store_id, n, RANK() OVER (PARTITION BY status ORDER BY n DESC) AS place FROM totals)
        SELECT status, store_id, n, place FROM ranked WHERE place <= 3 ORDER BY status, place""",
    ),
    "large_days": (
        """SELECT day, COUNT(*) AS n FROM lake.shop.sales WHERE store_id IS NOT NULL
        GROUP BY day HAVING COUNT(*) >= 200""",
        """SELECT day, SUM(n) AS n FROM lake.design.daily WHERE store_id IS NOT NULL
        GROUP BY day HAVING SUM(n) >= 200""",
    ),
}


def rewritten(
    text: int, sql: str, *, by_rule: bool = False, conditions: tuple[tuple[str, str], ...] = ()
) -> RewrittenText:
    """A rewrite onto the rollup."""
    return RewrittenText(text, sql, (DAILY,), ("rollup",), conditions, by_rule)
