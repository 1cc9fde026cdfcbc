"""Writes a typed Trino tree as DuckDB SQL, node kind by node kind; a kind without a writer is NotCheckable.

The tables of writers in duckdb_numbers, duckdb_texts, duckdb_calendar, duckdb_casts, duckdb_aggregates,
duckdb_predicates and duckdb_queries *are* the allow-list: a construct is translated only where its result was shown
equal to a real Trino's (tests/fixtures/trino). Every writer returns text that stands by itself: a name, a call, or
something in parentheses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.trino_types import TrinoType, common_super_type
from heavy_stack.backend.advisor.sql.types import type_of

Handler = Callable[["Writer", exp.Expr], str]


class Writer:
    """Dispatches on the node's class.

    Args:
        handlers: One writer per node class.
        functions: One writer per function that sqlglot keeps by name only, lower case.
        relation: What is written for a base table, given its full name in DuckDB's SQL; default: the name.
    """

    def __init__(
        self,
        handlers: Mapping[type[exp.Expr], Handler],
        functions: Mapping[str, Handler],
        relation: Callable[[str], str] | None = None,
    ) -> None:
        self._handlers = handlers
        self._functions = functions
        self.relation = relation

    def write(self, node: exp.Expr | None) -> str:
        """The node in DuckDB's SQL.

        Raises:
            NotCheckable: Its kind is not on the allow-list; the message names it.
        """
        if node is None:
            raise NotCheckable("an incomplete expression")
        handler = self._handlers.get(type(node))
        if handler is None and isinstance(node, exp.Anonymous):
            handler = self._functions.get(str(node.this).lower())
        if handler is None:
            raise NotCheckable(f"{describe(node)} is not checked on the embedded engine")
        _check_parts(node)
        return handler(self, node)

    def write_all(self, nodes: Iterable[exp.Expr]) -> list[str]:
        """`write` for each."""
        return [self.write(node) for node in nodes]


_ANYWHERE = frozenset({"this", "expression", "expressions"})
_SPECIFIC: dict[type[exp.Expr], frozenset[str]] = {
    exp.Literal: frozenset({"is_string"}),
    exp.Div: frozenset({"typed", "safe"}),
    exp.Round: frozenset({"decimals"}),
    exp.Trunc: frozenset({"decimals"}),
    exp.DPipe: frozenset({"safe"}),
    exp.Substring: frozenset({"start", "length"}),
    exp.Trim: frozenset({"position"}),
    exp.StrPosition: frozenset({"substr"}),
    exp.Replace: frozenset({"replacement"}),
    exp.SplitPart: frozenset({"delimiter", "part_index"}),
    exp.Pad: frozenset({"fill_pattern", "is_left"}),
    exp.RegexpExtract: frozenset({"group", "null_if_pos_overflow"}),
    exp.RegexpReplace: frozenset({"replacement"}),
    exp.TimestampTrunc: frozenset({"unit"}),
    exp.DateTrunc: frozenset({"unit"}),
    exp.DateAdd: frozenset({"unit"}),
    exp.DateDiff: frozenset({"unit"}),
    exp.Interval: frozenset({"unit"}),
    exp.TimeToStr: frozenset({"format"}),
    exp.Cast: frozenset({"to"}),
    exp.TryCast: frozenset({"to", "safe"}),
    exp.Count: frozenset({"big_int"}),
    exp.Window: frozenset({"partition_by", "order", "spec", "alias", "over"}),
    exp.Ordered: frozenset({"desc", "nulls_first"}),
    exp.Column: frozenset({"table"}),
    exp.Alias: frozenset({"alias"}),
    exp.Between: frozenset({"low", "high"}),
    exp.In: frozenset({"query"}),
    exp.Case: frozenset({"ifs", "default"}),
    exp.If: frozenset({"true", "false"}),
}


def _check_parts(node: exp.Expr) -> None:
    """Refuse a node with a part that its writer does not read: a modifier must never be lost."""
    if isinstance(node, exp.Query):
        return  # duckdb_queries looks at each
    specific = _SPECIFIC.get(type(node), _ANYWHERE)
    for part, value in node.args.items():
        if part not in _ANYWHERE and part not in specific and value not in (None, False, []):
            raise NotCheckable(f"{describe(node)} with {part.strip('_').replace('_', ' ')}")


def describe(node: exp.Expr) -> str:
    """A construct's name for people: `approx_distinct()`, `AT TIME ZONE`; never its operands."""
    if isinstance(node, exp.Anonymous):
        return f"{str(node.this).lower()}()"
    if isinstance(node, exp.Func):
        spelled = node.sql(dialect="trino", comments=False)
        name = spelled.split("(", 1)[0].strip()
        if 0 < len(name) <= 40 and name.replace("_", "").isalnum():
            return f"{name.lower()}()"
        return f"{node.sql_name().lower()}()"
    return type(node).__name__


def kind_of(node: exp.Expr | None) -> TrinoType:
    """Trino's type of a node.

    Raises:
        NotCheckable: It is not known.
    """
    kind = type_of(node) if node is not None else None
    if kind is None:
        raise NotCheckable("the type of an expression is not known" if node is None else f"the type of {_shown(node)}")
    return kind


def _shown(node: exp.Expr) -> str:
    what = f"column {node.name}" if isinstance(node, exp.Column) else describe(node)
    return f"{what} is not known"


def common_kind(nodes: Iterable[exp.Expr]) -> TrinoType:
    """The type that Trino brings all operands to.

    Raises:
        NotCheckable: A type is unknown, or Trino has no common type (DuckDB would convert silently).
    """
    common: TrinoType | None = None
    for node in nodes:
        kind = kind_of(node)
        if common is None:
            common = kind
            continue
        joined = common_super_type(common, kind)
        if joined is None:
            raise NotCheckable(f"{common} beside {kind}, which Trino does not combine")
        common = joined
    if common is None:
        raise NotCheckable("an empty list")
    if common.base == "char":
        raise NotCheckable("char(n), which Trino pads")
    return common


def text_literal(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def integer_literal(node: exp.Expr | None) -> int | None:
    """The value of an integer literal, signed or in parentheses; None for anything else."""
    if isinstance(node, exp.Paren):
        return integer_literal(node.this)
    if isinstance(node, exp.Neg):
        inner = integer_literal(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Literal) and node.is_int:
        return int(node.this)
    return None


def string_literal(node: exp.Expr | None) -> str | None:
    """The value of a string literal; None for anything else."""
    if isinstance(node, exp.Paren):
        return string_literal(node.this)
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def operands(node: exp.Binary) -> list[exp.Expr]:
    """The operands of an associative chain in their order, whatever its shape (parsing.py balances long ones)."""
    kind = type(node)
    found: list[exp.Expr] = []
    stack: list[exp.Expr] = [node]
    while stack:
        at = stack.pop()
        if type(at) is kind:
            stack.append(at.args["expression"])
            stack.append(at.this)
        else:
            found.append(at)
    return found


def terms(node: exp.Binary) -> list[exp.Expr]:
    """The operands of a left-deep chain of one operator, without recursion."""
    kind = type(node)
    found: list[exp.Expr] = []
    at: exp.Expr = node
    while type(at) is kind:
        found.append(at.args["expression"])
        at = at.this
    found.append(at)
    return found[::-1]
