"""What a client's query may be: one SELECT over tables of the DDL. A list of what is allowed: what is new is refused.

`SELECT … FROM TABLE(x.system.query(…))` parses as a SELECT and can write; so a query's sources are checked one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.guards import place_of
from heavy_stack.backend.advisor.sql.table_names import base_tables
from heavy_stack.shared_models.verdicts import Reason


@dataclass(frozen=True)
class Problem:
    """Why a parsed statement is not analysed, with the 1-based place where one token is to blame."""

    reason: Reason
    message: str
    line: int | None = None
    column: int | None = None


_QUERY_PARTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Select: frozenset(
        [
            "expressions",
            "from_",
            "joins",
            "where",
            "group",
            "having",
            "order",
            "limit",
            "offset",
            "distinct",
            "with_",
            "windows",
            "kind",
            "operation_modifiers",
            "laterals",
        ]
    ),
    exp.Subquery: frozenset(["this", "alias", "with_", "order", "limit", "offset", "joins", "laterals"]),
    exp.Union: frozenset(["this", "expression", "distinct", "by_name", "with_", "order", "limit", "offset"]),
    exp.Except: frozenset(["this", "expression", "distinct", "by_name", "with_", "order", "limit", "offset"]),
    exp.Intersect: frozenset(["this", "expression", "distinct", "by_name", "with_", "order", "limit", "offset"]),
    exp.Values: frozenset(["expressions", "alias", "order", "limit", "offset"]),
    exp.Table: frozenset(["this", "db", "catalog", "alias", "joins", "sample", "laterals"]),
    exp.Unnest: frozenset(["expressions", "alias", "offset"]),
    exp.Lateral: frozenset(["this", "view", "outer", "alias", "ordinality"]),
    exp.With: frozenset(["expressions", "recursive"]),
    exp.CTE: frozenset(["this", "alias", "materialized"]),
    exp.Join: frozenset(["this", "on", "using", "side", "kind", "method"]),
    exp.Group: frozenset(["expressions", "grouping_sets", "cube", "rollup", "all"]),
    exp.Limit: frozenset({"expression"}),
    exp.Offset: frozenset({"expression"}),
    exp.Fetch: frozenset(["direction", "count", "limit_options"]),
    exp.TableSample: frozenset(["method", "percent"]),
}
_NAMES = {
    "into": "SELECT INTO",
    "locks": "FOR UPDATE",
    "pivots": "PIVOT",
    "match": "MATCH_RECOGNIZE",
    "version": "FOR VERSION AS OF",
    "udfs": "WITH FUNCTION",
    "qualify": "QUALIFY",
    "hint": "a hint",
}
_JOIN_WORDS = frozenset({"", "INNER", "CROSS", "OUTER"})
_JOIN_SIDES = frozenset({"", "LEFT", "RIGHT", "FULL"})


def find_problem(tree: exp.Expr, catalog: Catalog) -> Problem | None:
    """Why the parsed statement must not be analysed or run; None when it may be."""
    if not isinstance(tree, exp.Query):
        return Problem(Reason.NOT_A_SELECT, f"{_statement_word(tree)} is not a SELECT")
    for node in tree.walk():
        if isinstance(node, exp.Table):
            continue
        problem = _part_problem(node)
        if problem is not None:
            return problem
    known = {id(node) for node in base_tables(tree)}
    for node in tree.find_all(exp.Table):
        problem = _table_problem(node, catalog, id(node) in known)
        if problem is not None:
            return problem
    return None


def _statement_word(tree: exp.Expr) -> str:
    return str(tree.this).upper() if isinstance(tree, exp.Command) else type(tree).__name__.upper()


def _part_problem(node: exp.Expr) -> Problem | None:
    if isinstance(node, (exp.Placeholder, exp.Parameter)):
        return Problem(Reason.NOT_CHECKABLE, "a parameter without a value")
    if isinstance(node, exp.Dot) and node.find(exp.Anonymous):
        return Problem(Reason.NOT_CHECKABLE, "a function of another catalog")
    if isinstance(node, (exp.DDL, exp.DML, exp.Command)) and not isinstance(node, exp.Query):
        return Problem(Reason.NOT_A_SELECT, f"{_statement_word(node)} inside the query")
    allowed = _QUERY_PARTS.get(type(node))
    if allowed is None:
        if isinstance(node, (exp.Query, exp.UDTF)):
            return Problem(Reason.NOT_CHECKABLE, f"{type(node).__name__.upper()} as a source")
        return None
    for part in _unexpected(node, allowed):
        return Problem(Reason.NOT_CHECKABLE, _NAMES.get(part, part.strip("_").replace("_", " ").upper()))
    if isinstance(node, exp.Join) and not (
        (node.kind or "").upper() in _JOIN_WORDS and (node.side or "").upper() in _JOIN_SIDES and not node.method
    ):
        return Problem(Reason.NOT_CHECKABLE, f"{node.method or node.kind or node.side} JOIN")
    return None


def _unexpected(node: exp.Expr, allowed: frozenset[str]) -> Iterator[str]:
    for part, value in node.args.items():
        if part not in allowed and value not in (None, False, []):
            yield part


def _table_problem(node: exp.Table, catalog: Catalog, is_base: bool) -> Problem | None:
    if not isinstance(node.this, exp.Identifier):
        if isinstance(node.this, exp.Dot):
            return Problem(Reason.UNKNOWN_TABLE, "a table name of more than three parts", *_place(node))
        return Problem(Reason.NOT_CHECKABLE, "a table function")
    for part in _unexpected(node, _QUERY_PARTS[exp.Table]):
        return Problem(Reason.NOT_CHECKABLE, _NAMES.get(part, part.strip("_").upper()), *_place(node))
    if is_base and catalog.resolve_node(node) is None:
        name = ".".join(part.name for part in node.parts)
        return Problem(Reason.UNKNOWN_TABLE, f"table {name} is not in the DDL, or several are meant", *_place(node))
    return None


def _place(node: exp.Table) -> tuple[int | None, int | None]:
    return place_of(node.parts[0]) if node.parts else (None, None)
