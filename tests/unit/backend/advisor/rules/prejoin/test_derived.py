"""Columns that others give are not stored, and still read the same in every row: NULLs, other values, other types."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate, Plan, Rewrite, RewrittenText
from heavy_stack.backend.advisor.rewrite.statements import create_schema_sql, design_table
from heavy_stack.backend.advisor.rules import READ_FROM_PREJOIN
from heavy_stack.backend.advisor.rules.prejoin.derived import Derived, Formula, result_type, with_derived
from heavy_stack.backend.advisor.rules.prejoin.folding import Folded
from heavy_stack.backend.advisor.rules.prejoin.gains import Gains
from heavy_stack.backend.advisor.rules.prejoin.prejoins import Prejoin, candidate_of, narrowed
from heavy_stack.backend.advisor.rules.prejoin.shelves import Shelf, shelf_of
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.names import NameMaker
from heavy_stack.backend.advisor.rules.rollup.whole_text import RewrittenTree, with_types
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.printing import trino_sql
from heavy_stack.backend.advisor.sql.trino_types import TrinoType, decimal, read_type
from tests.support.rule_cases import Run, differences, run_stages

DDL = [
    "CREATE TABLE lake.shop.sales (id bigint, quantity integer, price decimal(7, 2), off decimal(7, 2),"
    " total decimal(7, 2), net decimal(7, 2), again decimal(7, 2))"
]
S = "lake.shop.sales"
TOTAL: Formula = ("*", "price", "quantity")
FORMULAS: dict[str, Formula] = {"total": TOTAL, "net": ("-", TOTAL, ("+", "off", "price")), "again": "price"}
QUERIES = [
    f"SELECT s.id, s.total FROM {S} s",
    f"SELECT total, COUNT(*) AS n, AVG(net), SUM(s.total - s.net), MIN(s.again) FROM {S} s"
    " GROUP BY total ORDER BY n, total",
    f"SELECT s.id FROM {S} s WHERE s.total IS NULL OR s.net BETWEEN 1 AND 3",
    f"SELECT s.id, COALESCE(s.net, s.total) AS either FROM {S} s WHERE NOT s.again > 1",
    f"SELECT DISTINCT net FROM {S} WHERE total IN (SELECT price FROM {S})",
    f"SELECT id, RANK() OVER (ORDER BY net, total, id, quantity, price, off, again) AS place FROM {S}",
]


class Always(Gains):
    """Every fold is worth it."""

    def before_and_after(self, select: exp.Select, folded: Folded, shelf: Shelf) -> tuple[float, float]:
        """Everything is saved."""
        return 1.0, 0.0


def candidate_without(run: Run, formulas: dict[str, Formula]) -> Candidate:
    """A copy of the table in which these columns are derived."""
    catalog = Catalog(run.parsed.tables)
    fact = catalog.tables[0]
    columns = frozenset((FACT, column.name) for column in fact.columns)
    candidate = candidate_of(Prejoin(fact, {}, columns, ()), catalog, 1, (), 100, 1000, "")
    types = {column.name: column.type for column in candidate.columns}
    given = {name: Derived(name, formula, types[name]) for name, formula in formulas.items()}
    wider = with_derived(candidate, given)
    return narrowed(wider, catalog, {each.name for each in wider.columns} - formulas.keys())


def rewritten_run(query: str, formulas: dict[str, Formula]) -> Run:
    """The query read from that copy, ready to be run beside its original."""
    run = run_stages(DDL, [query])
    catalog = Catalog(run.parsed.tables)
    candidate = candidate_without(run, formulas)
    table = design_table(candidate, "lake", "made", NameMaker())
    shelf = shelf_of(candidate, table.name, table.columns)
    text = run.parsed.texts[0].sql or ""
    found = READ_FROM_PREJOIN.apply(Analyst(catalog).analyse(text).tree, catalog, [shelf], Always({}, catalog))
    assert found.used[table.name] <= {column.name for column in table.columns}
    done = with_types(RewrittenTree(found.tree, found.tables, exact=True), text, catalog)
    sql = RewrittenText(0, trino_sql(done.tree), (table.name,), ("read_from_prejoin",), ())
    rewrite = Rewrite("made", create_schema_sql("lake", "made"), (table,), (sql,))
    return replace(run, plan=Plan((candidate,)), rewrite=rewrite)


class TestDerived:
    @pytest.mark.parametrize("query", QUERIES)
    def test_returns_the_same_rows(self, query: str) -> None:
        run = rewritten_run(query, FORMULAS)
        assert [line for seed in range(4) for line in differences(run, seed)] == []

    def test_what_formulas_give_is_not_stored(self) -> None:
        columns = [column.name for column in candidate_without(run_stages(DDL, QUERIES[:1]), FORMULAS).columns]
        assert not FORMULAS.keys() & columns
        assert {"price", "total_rest", "total_is_null", "again_rest"} <= {*columns}

    def test_a_table_without_an_operand_does_not_give_the_column(self) -> None:
        candidate = candidate_without(run_stages(DDL, QUERIES[:1]), FORMULAS)
        less = [column for column in candidate.columns if column.name != "quantity"]
        shelf = shelf_of(candidate, design_table(candidate, "lake", "made", NameMaker()).name, less)
        assert not shelf.holds((FACT, "total"))
        assert shelf.holds((FACT, "again"))


class TestResultType:
    @pytest.mark.parametrize(
        ("formula", "expected"),
        [
            (TOTAL, decimal(17, 2)),
            (("-", "price", "off"), decimal(8, 2)),
            (("-", TOTAL, "off"), decimal(18, 2)),
            ("price", decimal(7, 2)),
            (("*", "wide", "price"), None),
            (("*", "quantity", "quantity"), None),
            (("*", ("+", "quantity", "quantity"), "price"), None),
            ("quantity", read_type("integer")),
        ],
    )
    def test_is_what_trino_makes_of_it(self, formula: Formula, expected: TrinoType | None) -> None:
        spelled = {"price": "decimal(7,2)", "off": "decimal(7,2)", "quantity": "integer", "wide": "decimal(38,2)"}
        types = {name: kind for name, text in spelled.items() if (kind := read_type(text)) is not None}
        assert result_type(formula, types) == expected
