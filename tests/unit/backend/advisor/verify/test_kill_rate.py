"""Mutation test of the verifier: every wrong rewrite has to be told apart by the data sets that every task gets.

A mutant that lives is a rewrite that would be sent. Those that live here are equivalent to their original, or stand in
`KNOWN` with the reason why no data set tells them apart.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, DesignTable, Table
from heavy_stack.backend.advisor.ports import Ports, QuerySession, RunFailed
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified, resolve
from heavy_stack.backend.advisor.sql.parsing import SqlProblem
from heavy_stack.backend.advisor.sql.printing import trino_sql
from heavy_stack.backend.advisor.verify.check_texts import StaticDifference, check_texts
from heavy_stack.backend.advisor.verify.comparison import Outcome, run_both
from heavy_stack.backend.advisor.verify.data_sets import DataSet, DataSetMaker
from heavy_stack.backend.advisor.verify.surveys import study
from tests.unit.backend.advisor.verify.mutants import mutants
from tests.unit.backend.advisor.verify.rollups import PAIRS, SELECT, daily
from tests.unit.backend.advisor.verify.star import QUERIES, TABLES

CATALOG = Catalog(TABLES)
DESIGNED = CATALOG.with_tables([Table(daily().name, tuple(Column(c.name, c.type) for c in daily().columns))])
TARGET = 0.95

EQUIVALENT: dict[tuple[str, str], str] = {
    ("brands_like", "INNER to LEFT"): "the WHERE asks for a value of the joined table",
    ("customers_who_bought_toys", "INNER to LEFT"): "the WHERE asks for a value of the joined table",
    ("cheapest_open", "INNER to LEFT"): "the WHERE asks for a value of the joined table",
    ("customers_who_never_bought", "literal + 1"): "the 1 of SELECT 1 inside EXISTS",
    ("customers_who_never_bought", "literal - 1"): "the 1 of SELECT 1 inside EXISTS",
    ("both_ends", "UNION ALL to UNION"): "both branches are groups with a constant that differs",
    ("per_sale_of_segment", "missing NULLIF"): "no customer means no price to divide",
    ("per_sale_of_segment", "literal - 1"): "no count is negative",
}
KNOWN: dict[tuple[str, str], str] = {
    ("above_average_price", "boundary"): "no row costs exactly the average of other rows",
    (
        "one_number",
        "drop ELSE",
    ): "some row of the store came back in every data set; the bounded search has one without",
}


@dataclass(frozen=True)
class Mutant:
    """A wrong rewrite of the query `name`."""

    name: str
    kind: str
    original: exp.Query
    tree: exp.Query


def mutants_of(name: str, original: exp.Query, right: exp.Query, catalog: Catalog) -> list[Mutant]:
    """The mutants of a right rewrite that still are queries."""
    found = []
    for kind, tree in mutants(right):
        try:
            found.append(Mutant(name, kind, original, resolve(tree, catalog)))
        except SqlProblem:
            continue  # Trino would refuse it
    return [mutant for mutant in found if mutant.tree != right]


def survivors(session: QuerySession, wrong: Sequence[Mutant]) -> list[Mutant]:
    """The mutants that this data set does not tell from their originals."""
    return [mutant for mutant in wrong if not _is_killed(session, mutant)]


def _is_killed(session: QuerySession, mutant: Mutant) -> bool:
    texts = check_texts(mutant.original.copy(), mutant.tree.copy())
    if isinstance(texts, StaticDifference):
        return True
    outcome = run_both(session, texts, limit_s=30, twice=False, rows_count=True, known={}).outcome
    assert outcome in (Outcome.EQUAL, Outcome.EMPTY, Outcome.DIFFERENT, Outcome.REWRITE_FAILED), (mutant, outcome)
    return outcome in (Outcome.DIFFERENT, Outcome.REWRITE_FAILED)


def check_rate(made: Sequence[Mutant], left: Sequence[Mutant]) -> None:
    """At least the target of all that are not equivalent is killed, and no survivor is a new one."""
    real = [mutant for mutant in left if (mutant.name, mutant.kind) not in EQUIVALENT]
    wrong = len(made) - (len(left) - len(real))
    rate = 1 - len(real) / wrong
    for mutant in real:
        print(mutant.name, "|", mutant.kind, "|", trino_sql(mutant.tree))
    print(f"{wrong} wrong rewrites, {len(left) - len(real)} equivalent ones, kill rate {rate:.3f}")
    assert rate >= TARGET
    unknown = Counter((mutant.name, mutant.kind, trino_sql(mutant.tree)) for mutant in real)
    assert [key for key in unknown if key[:2] not in KNOWN] == []


@pytest.fixture(scope="module")
def data_sets() -> list[DataSet]:
    texts = [*QUERIES.values(), *(original for original, _ in PAIRS.values())]
    draw = random.Random(1)
    studied = [study(qualified(text, CATALOG), CATALOG, draw, shape=text) for text in texts]
    maker = DataSetMaker(CATALOG, studied, "task-1")
    return [*maker.small(), *maker.crowded()]


class TestQueries:
    def test_wrong_queries_over_the_clients_tables_are_killed(
        self, data_sets: list[DataSet], open_ports: Callable[..., Ports]
    ) -> None:
        runner = open_ports(TABLES).runner
        trees = {name: qualified(text, CATALOG) for name, text in QUERIES.items()}
        made = [mutant for name, tree in trees.items() for mutant in mutants_of(name, tree, tree, CATALOG)]
        left = made
        for data in data_sets:
            session = runner.open_test_data(TABLES, data.rows, [])
            left = survivors(session, left)
            session.close()
        check_rate(made, left)


class TestRewrites:
    def test_wrong_readers_of_a_rollup_are_killed(
        self, data_sets: list[DataSet], open_ports: Callable[..., Ports]
    ) -> None:
        runner = open_ports(TABLES).runner
        made = [
            mutant
            for name, (original, right) in PAIRS.items()
            for mutant in mutants_of(name, qualified(original, CATALOG), qualified(right, DESIGNED), DESIGNED)
        ]
        left = made
        for data in data_sets:
            session = runner.open_test_data(TABLES, data.rows, [(daily().create, daily().insert)])
            left = survivors(session, left)
            session.close()
        check_rate(made, left)

    def test_wrong_rollups_are_killed_through_their_readers(
        self, data_sets: list[DataSet], open_ports: Callable[..., Ports]
    ) -> None:
        runner = open_ports(TABLES).runner
        readers = [
            Mutant(name, "reader", qualified(original, CATALOG), qualified(right, DESIGNED))
            for name, (original, right) in PAIRS.items()
        ]
        tables = _wrong_tables()
        alive = [
            kind
            for kind, table in tables
            if not any(_table_is_killed(runner, data, table, readers) for data in data_sets)
        ]
        assert alive == []
        assert len(tables) >= 12


def _wrong_tables() -> list[tuple[str, DesignTable]]:
    changes = {
        "a filter too many": ("FROM lake.shop.sales", "FROM lake.shop.sales WHERE store_id IS NOT NULL"),
        "a filter on a measure": ("FROM lake.shop.sales", "FROM lake.shop.sales WHERE price IS NOT NULL"),
        "a constant of a query baked in": (
            "FROM lake.shop.sales",
            "FROM lake.shop.sales WHERE day >= DATE '2023-01-01'",
        ),
        "a lost group key": ("status AS status", "MAX(status) AS status"),
        "COUNT(x) for COUNT(*)": ("COUNT(*)", "COUNT(quantity)"),
        "COUNT(*) for COUNT(x)": ("COUNT(discount)", "COUNT(*)"),
        "the sum of another column": ("SUM(quantity)", "SUM(store_id)"),
        "a distinct sum": ("SUM(price)", "SUM(DISTINCT price)"),
        "a distinct count": ("COUNT(*)", "COUNT(DISTINCT sale_id)"),
        "MIN for MAX": ("MAX(price)", "MIN(price)"),
        "NULL as zero in a key": ("store_id AS store_id", "COALESCE(store_id, 0) AS store_id"),
        "NULL as zero in a count": ("COUNT(price)", "COUNT(COALESCE(price, 0))"),
        "another key": ("status AS status", "lower(status) AS status"),
    }
    wrong = []
    for kind, (right, change) in changes.items():
        select = SELECT.replace(right, change)
        if " AS " in right:
            keys = "1, 2, 4" if "MAX(status)" in select else "1, 2, 3, 4"
            select = select.replace("GROUP BY day, store_id, status, returned", f"GROUP BY {keys}")
        assert select != SELECT
        wrong.append((kind, daily(select)))
    return wrong


def _table_is_killed(runner: object, data: DataSet, table: DesignTable, readers: Sequence[Mutant]) -> bool:
    try:
        session = runner.open_test_data(TABLES, data.rows, [(table.create, table.insert)])  # type: ignore[attr-defined]
    except RunFailed:
        return True
    try:
        return any(_is_killed(session, reader) for reader in readers)
    finally:
        session.close()
