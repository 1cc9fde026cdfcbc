"""Trino's SELECT in DuckDB's SQL, with Trino's exact meaning, or NotCheckable: never a guess."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.output_names import output_names
from heavy_stack.backend.advisor.sql.types import output_types
from heavy_stack.backend.engines.duckdb_aggregates import AGGREGATES
from heavy_stack.backend.engines.duckdb_calendar import CALENDAR
from heavy_stack.backend.engines.duckdb_casts import CASTS
from heavy_stack.backend.engines.duckdb_numbers import NUMBER_FUNCTIONS, NUMBERS
from heavy_stack.backend.engines.duckdb_predicates import PREDICATES
from heavy_stack.backend.engines.duckdb_queries import QUERIES
from heavy_stack.backend.engines.duckdb_texts import TEXTS
from heavy_stack.backend.engines.duckdb_writer import Handler, Writer

HANDLERS: dict[type[exp.Expr], Handler] = {
    **NUMBERS,
    **TEXTS,
    **CALENDAR,
    **CASTS,
    **AGGREGATES,
    **PREDICATES,  # after NUMBERS: its + and - know dates too
    **QUERIES,
}
"""The allow-list: each kind has cases recorded from a real Trino in tests/fixtures/trino."""

FUNCTIONS: dict[str, Handler] = dict(NUMBER_FUNCTIONS)
"""The allow-list of functions that sqlglot keeps by name."""

_WRITER = Writer(HANDLERS, FUNCTIONS)


def to_duckdb(sql: str, catalog: Catalog, *, plain: bool = False) -> str:
    """One Trino SELECT as DuckDB SQL.

    Args:
        sql: A query over the catalog's tables.
        catalog: The tables.
        plain: Without Trino's exact numerics, as sqlglot transpiles it: for timing only, results may differ.

    Raises:
        NotCheckable: A construct is not on the allow-list; the message names it. Also for text that cannot be resolved.
    """
    try:
        tree = qualified(sql, catalog)
        if plain:
            return tree.sql(dialect="duckdb", comments=False)
        return _WRITER.write(tree)
    except SqlProblem as problem:
        raise NotCheckable(str(problem)) from None
    except RecursionError:
        raise NotCheckable("too deeply nested for the embedded engine") from None


def output_columns(sql: str, catalog: Catalog) -> list[tuple[str, str]]:
    """(name, Trino type) of each output column, as Trino would give them.

    Raises:
        NotCheckable: A type is not known, or the text cannot be resolved.
    """
    try:
        tree = qualified(sql, catalog)
    except SqlProblem as problem:
        raise NotCheckable(str(problem)) from None
    columns: list[tuple[str, str]] = []
    for name, kind in zip(output_names(tree), output_types(tree), strict=True):
        if kind is None:
            raise NotCheckable(f"the type of the output column {name} is not known")
        columns.append((name, kind))
    return columns
