"""Queries of many shapes read from one wide pre-joined table: the same rows on tables of NULLs, orphans, duplicates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate, ColumnFacts, Plan, Rewrite, RewrittenText, TableFacts
from heavy_stack.backend.advisor.rewrite.statements import create_schema_sql, design_table
from heavy_stack.backend.advisor.rules import READ_FROM_PREJOIN
from heavy_stack.backend.advisor.rules.prejoin.folding import Folded
from heavy_stack.backend.advisor.rules.prejoin.gains import Gains
from heavy_stack.backend.advisor.rules.prejoin.keys import Keys
from heavy_stack.backend.advisor.rules.prejoin.prejoins import Prejoin, candidate_of
from heavy_stack.backend.advisor.rules.prejoin.shelves import Shelf, shelf_of
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Step, reading_of, stars_of
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.names import NameMaker
from heavy_stack.backend.advisor.rules.rollup.whole_text import RewrittenTree, with_types
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.printing import trino_sql
from tests.support.rule_cases import Run, differences, run_stages

DDL = [
    "CREATE TABLE lake.shop.sales (id bigint, day_id integer, sent_id integer, customer_id bigint, line integer,"
    " quantity integer, price decimal(10, 2), channel varchar)",
    "CREATE TABLE lake.shop.day (id integer, on_day date, year integer, month integer, holiday boolean)",
    "CREATE TABLE lake.shop.customer (id bigint, name varchar, segment varchar, home_id integer, born integer)",
    "CREATE TABLE lake.shop.home (id integer, city varchar, state varchar)",
    "CREATE TABLE lake.shop.returned (sale_id bigint, sale_line integer, amount decimal(10, 2), day_id integer)",
]
KEYS = {"day": "id", "customer": "id", "home": "id"}
FACTS = {
    f"lake.shop.{name}": TableFacts(100, 10_000, {key: ColumnFacts(distinct=100, nulls=0)})
    for name, key in KEYS.items()
} | {
    "lake.shop.sales": TableFacts(100_000, 10_000_000),
    "lake.shop.returned": TableFacts(
        900, 9_000, {name: ColumnFacts(distinct=40, nulls=0) for name in ("sale_id", "sale_line")}
    ),
}
S, D, C, H, R = (f"lake.shop.{name}" for name in ("sales", "day", "customer", "home", "returned"))

QUERIES = [
    f"SELECT d.year, COUNT(*), SUM(s.price) FROM {S} s JOIN {D} d ON s.day_id = d.id GROUP BY d.year",
    f"SELECT s.id, d.on_day, d.id, s.day_id FROM {S} s, {D} d WHERE s.day_id = d.id",
    f"SELECT s.id, d.on_day, e.on_day FROM {S} s JOIN {D} d ON s.day_id = d.id JOIN {D} e ON e.id = s.sent_id"
    " WHERE e.month = 3 OR d.year = 2",
    f"SELECT s.id, d.year, d.month, d.id, s.day_id FROM {S} s LEFT JOIN {D} d ON d.id = s.day_id",
    f"SELECT s.id FROM {S} s LEFT JOIN {D} d ON d.id = s.day_id WHERE d.id IS NULL",
    f"SELECT s.id, c.segment FROM {S} s LEFT JOIN {C} c ON c.id = s.customer_id AND c.born > 2 WHERE s.quantity > 1",
    f"SELECT c.segment, h.state, SUM(s.price) FROM {S} s, {C} c, {H} h"
    " WHERE c.id = s.customer_id AND h.id = c.home_id AND COALESCE(h.state, 'a') = 'a' GROUP BY c.segment, h.state",
    f"SELECT s.id, h.city FROM {S} s LEFT JOIN {C} c ON s.customer_id = c.id LEFT JOIN {H} h ON h.id = c.home_id",
    f"SELECT s.id, h.city, c.name FROM {S} s LEFT JOIN {C} c ON s.customer_id = c.id JOIN {H} h ON h.id = c.home_id",
    f"SELECT c.name, COUNT(s.id), SUM(d.year) FROM {C} c LEFT JOIN {S} s ON s.customer_id = c.id AND s.quantity > 1"
    f" LEFT JOIN {D} d ON d.id = s.day_id GROUP BY c.name",
    f"SELECT c.name, d.month FROM {C} c LEFT JOIN {S} s ON s.customer_id = c.id JOIN {D} d ON d.id = s.day_id"
    " WHERE d.month > 1",
    f"SELECT c.name FROM {C} c WHERE NOT EXISTS (SELECT 1 FROM {S} s JOIN {D} d ON d.id = s.day_id"
    " WHERE s.customer_id = c.id AND d.year = c.born)",
    f"SELECT s.id FROM {S} s JOIN {D} d ON d.id = s.day_id WHERE s.quantity > (SELECT AVG(t.quantity) FROM {S} t,"
    f" {D} e WHERE t.day_id = e.id AND e.month = d.month)",
    f"SELECT a.id, b.id FROM {S} a JOIN {S} b ON a.customer_id = b.customer_id JOIN {D} d ON d.id = a.day_id"
    f" JOIN {D} e ON e.id = b.day_id WHERE d.year = 1 AND e.year = 2 AND a.id <> b.id",
    f"SELECT s.channel FROM {S} s JOIN {D} d ON d.id = s.day_id WHERE d.year IN (1, 2) UNION ALL SELECT c.segment"
    f" FROM {S} s JOIN {C} c ON c.id = s.customer_id WHERE NOT (c.segment = 'a' OR c.born IN (1, 2))",
    f"SELECT DISTINCT d.month, c.segment FROM {S} s, {D} d, {C} c WHERE s.day_id = d.id AND s.customer_id = c.id"
    " AND (d.month = 1 OR c.segment IS NULL)",
    f"SELECT s.id, RANK() OVER (PARTITION BY d.month ORDER BY s.price, s.id, d.on_day, s.line, s.quantity) AS place"
    f" FROM {S} s JOIN {D} d ON d.id = s.day_id",
    f"WITH x AS (SELECT s.customer_id, d.year, SUM(s.price) AS spent FROM {S} s JOIN {D} d ON d.id = s.day_id"
    f" GROUP BY s.customer_id, d.year) SELECT a.customer_id, a.spent, b.spent AS later FROM x a JOIN x b"
    " ON a.customer_id = b.customer_id AND a.year + 1 = b.year",
    f"SELECT s.id FROM {S} s WHERE s.day_id IN (SELECT d.id FROM {D} d WHERE d.year = 2) AND s.customer_id IN"
    f" (SELECT t.customer_id FROM {S} t JOIN {D} e ON e.id = t.day_id WHERE e.month = 2)",
    f"SELECT COUNT(*) FROM {S} s, {D} d, {C} c WHERE (s.day_id = d.id AND s.customer_id = c.id AND d.year = 1)"
    " OR (s.day_id = d.id AND s.customer_id = c.id AND c.segment = 'a' AND s.quantity BETWEEN 1 AND 3)",
    f"SELECT s.id, r.amount FROM {S} s LEFT JOIN {R} r ON r.sale_id = s.id AND r.sale_line = s.line"
    " WHERE r.amount IS NULL OR r.amount > 1",
    f"SELECT s.id, r.amount, d.month FROM {S} s JOIN {R} r ON r.sale_id = s.id AND r.sale_line = s.line"
    f" JOIN {D} d ON d.id = r.day_id WHERE s.quantity < 5",
    f"SELECT d.year, d.id FROM {D} d JOIN {S} s ON s.day_id = d.id AND s.sent_id = d.id WHERE s.price > 1",
    f"SELECT s.id, v.n FROM {S} s JOIN {D} d ON d.id = s.day_id JOIN (SELECT c.id, COUNT(*) AS n FROM {C} c"
    " GROUP BY c.id) v ON v.id = s.customer_id AND v.n < d.month",
    f"SELECT p.id FROM {S} p JOIN {D} d ON d.id = p.day_id WHERE EXISTS (SELECT 1 FROM {C} s WHERE s.born = d.month"
    " AND s.id = p.customer_id)",
    f"SELECT c.segment, COUNT(*) AS n FROM {S} s JOIN {C} c ON c.id = s.customer_id GROUP BY c.segment"
    " HAVING COUNT(*) > 2 ORDER BY n DESC, c.segment",
]


class Always(Gains):
    """Every fold is worth it."""

    def before_and_after(self, select: exp.Select, folded: Folded, shelf: Shelf) -> tuple[float, float]:
        """Everything is saved."""
        return 1.0, 0.0


def wide_candidate(catalog: Catalog, *, without: tuple[str, ...] = ()) -> Candidate:
    """All columns of all roles that the queries have, but for the names in `without`."""
    keys = Keys(FACTS, lambda condition: 0)
    steps: dict[str, Step] = {}
    for query in QUERIES:
        for select in Analyst(catalog).analyse(query).tree.find_all(exp.Select):
            reading = reading_of(select, catalog)
            for star in stars_of(reading, keys, lambda table: float(len(table.columns))) if reading else []:
                if star.fact.name.name == "sales":
                    steps |= {member.step.role: member.step for member in star.members}
    fact = next(table for table in catalog.tables if table.name.name == "sales")
    tables = {FACT: fact} | {role: table for role, step in steps.items() if (table := catalog.table(step.table))}
    columns = {
        (role, column.name)
        for role, table in tables.items()
        for column in table.columns
        if column.name not in without or role == FACT
    }
    filled = tuple(place for place in sorted(columns) if place[1] == "on_day")
    prejoin = Prejoin(fact, steps, frozenset(columns), (), filled)
    return candidate_of(prejoin, catalog, 1, (), 100, 1000, "")


def rewritten_run(query: str, **changed: tuple[str, ...]) -> Run:
    """The query read from the wide table, ready to be run beside its original."""
    run = run_stages(DDL, [query])
    catalog = Catalog(run.parsed.tables)
    candidate = wide_candidate(catalog, **changed)
    table = design_table(candidate, "lake", "made", NameMaker())
    shelf = shelf_of(candidate, table.name, table.columns)
    text = run.parsed.texts[0].sql or ""
    found = READ_FROM_PREJOIN.apply(Analyst(catalog).analyse(text).tree, catalog, [shelf], Always(FACTS, catalog))
    done = with_types(RewrittenTree(found.tree, found.tables, exact=True), text, catalog)
    conditions = tuple(sorted(found.conditions.items()))
    sql = RewrittenText(0, trino_sql(done.tree), (table.name,), ("read_from_prejoin",), conditions)
    rewrite = Rewrite("made", create_schema_sql("lake", "made"), (table,), (sql,))
    return replace(run, plan=Plan((candidate,)), rewrite=rewrite)


@pytest.mark.parametrize("query", QUERIES)
class TestFolding:
    def test_returns_the_same_rows(self, query: str) -> None:
        run = rewritten_run(query)
        found = [line for seed in range(3) for line in differences(run, seed)]
        assert found == []

    def test_returns_the_same_rows_where_keys_and_texts_are_not_stored(self, query: str) -> None:
        run = rewritten_run(query, without=("id", "sale_id", "sale_line", "name", "segment"))
        assert [line for seed in range(3) for line in differences(run, seed)] == []


class TestShortest:
    def test_tables_that_are_folded_in_are_gone(self) -> None:
        sql = rewritten_run(QUERIES[6]).rewritten() or ""
        assert "customer" not in sql.replace("sales_with_", "") or "JOIN" not in sql
        assert sql.count("FROM") == 1

    def test_no_check_where_a_filter_proves_the_partner(self) -> None:
        sql = rewritten_run(f"SELECT s.id FROM {S} s JOIN {D} d ON d.id = s.day_id WHERE d.year = 1").rewritten() or ""
        assert "NULL" not in sql
        assert "JOIN" not in sql
