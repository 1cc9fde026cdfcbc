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

NUMBER = "heavy_database"
"""The column that says which of many small databases a row belongs to."""
_EACH = "heavy_databases"

_WRITER = Writer(HANDLERS, FUNCTIONS)
_NUMBERED = Writer(
    HANDLERS,
    FUNCTIONS,
    lambda name: f"(SELECT * EXCLUDE ({NUMBER}) FROM {name} AS each WHERE each.{NUMBER} = {_EACH}.{NUMBER})",
)


def for_each_database(select: str, count: int) -> str:
    """A SELECT that `to_duckdb(…, numbered=True)` made, run once for each of `count` databases in one statement.

    LATERAL is exact for every construct: to DuckDB the number is a constant of an outer row. Its own decorrelation
    turns that into one plan over all databases.
    """
    return (
        f"SELECT {_EACH}.{NUMBER}, answer.* FROM (SELECT CAST(number AS INTEGER) AS {NUMBER} "
        f"FROM range({count}) AS numbers(number)) AS {_EACH} CROSS JOIN LATERAL ({select}) AS answer"
    )


def to_duckdb(sql: str, catalog: Catalog, *, plain: bool = False, numbered: bool = False) -> str:
    """One Trino SELECT as DuckDB SQL.

    Args:
        sql: A query over the catalog's tables.
        catalog: The tables.
        plain: Without Trino's exact numerics, as sqlglot transpiles it: for timing only, results may differ.
        numbered: For `for_each_database`: it sees the rows of one database only.

    Raises:
        NotCheckable: A construct is not on the allow-list; the message names it. Also for text that cannot be resolved.
    """
    try:
        tree = qualified(sql, catalog)
        if plain:
            return tree.sql(dialect="duckdb", comments=False)
        return (_NUMBERED if numbered else _WRITER).write(tree)
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
