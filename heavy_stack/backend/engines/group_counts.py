"""Counting the distinct rows of many SELECTs with few scans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.sql.parsing import SqlProblem, parse_statement
from heavy_stack.backend.advisor.sql.printing import Unprintable, trino_sql

MAX_COUNTS_PER_SCAN = 24
"""Each count keeps a table of its own in memory while the scan runs."""
MAX_COUNTS_PER_SAMPLE = 150
"""On a sample those tables are small."""


@dataclass(frozen=True)
class SharedScan:
    """One SELECT that yields all columns of several, and which of them each one has.

    Attributes:
        sql: Trino SQL.
        ids: Whose distinct rows are counted.
        columns: For each id the positions of its columns in `sql`; None: all of them, whatever they are.
        tables: Full names of the tables read, lower case; empty where that was not looked at.
    """

    sql: str
    ids: tuple[str, ...]
    columns: tuple[tuple[int, ...] | None, ...]
    tables: frozenset[str] = frozenset()

    def counting(self, source: str, *, exact: bool, percent: float | None = None) -> str:
        """The counting SELECT in DuckDB's SQL; `source` is `sql` translated, `percent` how many of its rows count."""
        sample = f" USING SAMPLE {percent:.4f} PERCENT (bernoulli, 42)" if percent is not None else ""
        if self.columns == (None,):
            return f"SELECT count(*) FROM (SELECT DISTINCT * FROM ({source}) AS rows_)"
        width = 1 + max(position for columns in self.columns for position in columns or ())
        names = ", ".join(f"k{i}" for i in range(width))
        counts = []
        for columns in self.columns:
            keys = ", ".join(f"k{i}" for i in columns or ())
            # hash() of a row with NULLs is a value, as a group of NULLs is a group.
            counts.append(f"count(DISTINCT row({keys}))" if exact else f"approx_count_distinct(hash({keys}))")
        return f"SELECT {', '.join(counts)} FROM ({source}) AS rows_({names}){sample}"


def shared_scans(selects: Mapping[str, str], most: int = MAX_COUNTS_PER_SCAN) -> list[SharedScan]:
    """Group SELECTs by what stands behind their select list; what is more than columns is counted alone.

    Args:
        selects: Trino SQL by id.
        most: How many share one scan.
    """
    scans: list[SharedScan] = []
    groups: dict[str, list[tuple[str, exp.Select]]] = {}
    for key, sql in selects.items():
        tree = _plain_select(sql)
        if tree is None:
            scans.append(SharedScan(sql, (key,), (None,)))
        else:
            bare = tree.copy()
            bare.set("expressions", [])
            bare.set("distinct", None)
            groups.setdefault(trino_sql(bare), []).append((key, tree))
    for members in groups.values():
        for start in range(0, len(members), most):
            scans.append(_join(members[start : start + most]))
    return scans


def _plain_select(sql: str) -> exp.Select | None:
    """The tree of a SELECT whose rows depend on nothing but FROM and WHERE; None for any other."""
    try:
        tree = parse_statement(sql)
        trino_sql(tree)
    except (SqlProblem, Unprintable):
        return None
    allowed = {"expressions", "from_", "from", "joins", "where", "distinct", "kind", "hint"}
    if not isinstance(tree, exp.Select) or any(value and name not in allowed for name, value in tree.args.items()):
        return None
    distinct = tree.args.get("distinct")
    if distinct is not None and distinct.args.get("on"):
        return None
    if any(column.is_star or column.find(exp.AggFunc, exp.Window, exp.Query) for column in tree.expressions):
        return None
    return tree


def _join(members: list[tuple[str, exp.Select]]) -> SharedScan:
    positions: dict[str, int] = {}
    expressions: list[exp.Expr] = []
    columns: list[tuple[int, ...] | None] = []
    for _, tree in members:
        own: list[int] = []
        for column in tree.expressions:
            bare = column.unalias()
            text = bare.sql(dialect="trino")
            if text not in positions:
                positions[text] = len(positions)
                expressions.append(exp.alias_(bare.copy(), f"k{positions[text]}"))
            own.append(positions[text])
        columns.append(tuple(own))
    shared = members[0][1].copy()
    shared.set("expressions", expressions)
    shared.set("distinct", None)
    tables = frozenset(".".join(part.name for part in table.parts).lower() for table in shared.find_all(exp.Table))
    return SharedScan(trino_sql(shared), tuple(key for key, _ in members), tuple(columns), tables)
