"""Names, conditions and choices."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.trino_types import common_super_type
from heavy_stack.backend.engines.duckdb_calendar import shifted
from heavy_stack.backend.engines.duckdb_numbers import NUMBERS
from heavy_stack.backend.engines.duckdb_writer import Handler, Writer, common_kind, kind_of, operands, quoted


def _column(writer: Writer, node: exp.Expr) -> str:
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        raise NotCheckable("a column that is not resolved")
    return f"{quoted(node.table)}.{quoted(node.name)}" if node.table else quoted(node.name)


def _alias(writer: Writer, node: exp.Expr) -> str:
    return f"{writer.write(node.this)} AS {quoted(node.alias)}"


def _paren(writer: Writer, node: exp.Expr) -> str:
    return f"({writer.write(node.this)})"


def _connected(word: str) -> Handler:
    def handler(writer: Writer, node: exp.Expr) -> str:
        return "(" + f" {word} ".join(writer.write_all(_flat(node))) + ")"

    return handler


def _flat(node: exp.Expr) -> list[exp.Expr]:
    return operands(node) if isinstance(node, exp.Binary) else [node]


def _not(writer: Writer, node: exp.Expr) -> str:
    return f"(NOT {writer.write(node.this)})"


_COMPARED: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}


def _comparison(writer: Writer, node: exp.Expr) -> str:
    symbol = _COMPARED[type(node)]
    left, right = node.this, node.args.get("expression")
    for side in (left, right):
        if isinstance(side, (exp.Any, exp.All, exp.Tuple)):
            raise NotCheckable("a comparison with ANY, ALL or a row")
    common = _comparable(left, right)
    first, second = writer.write(left), writer.write(right)
    compared = f"({first} {symbol} {second})"
    if common != "double" or symbol.startswith("IS"):
        return compared
    return _without_nan(compared, symbol, (first, _may_be_nan(left)), (second, _may_be_nan(right)))


def _comparable(*nodes: exp.Expr | None) -> str:
    """The common type's name of operands that may be compared."""
    present = [node for node in nodes if node is not None]
    common = common_kind(present)
    if common.base == "real" and any(kind_of(node).base not in ("real", "unknown") for node in present):
        raise NotCheckable("real beside another type")
    if common.base.startswith(("array", "map", "row", "json")):
        raise NotCheckable(f"a comparison of {common}")
    return common.base


def _may_be_nan(node: exp.Expr | None) -> bool:
    if isinstance(node, (exp.Neg, exp.Paren)):
        return _may_be_nan(node.this)
    return not isinstance(node, exp.Literal) and kind_of(node).base in ("double", "real")


def _without_nan(compared: str, symbol: str, left: tuple[str, bool], right: tuple[str, bool]) -> str:
    """NaN compares false in Trino; in DuckDB it is the largest number, and equal to itself."""
    larger = {">": left, ">=": left, "<": right, "<=": right}.get(symbol)
    if larger is not None:
        return f"({compared} AND NOT ISNAN({larger[0]}))" if larger[1] else compared
    if not (left[1] and right[1]):
        return compared
    return f"({compared} AND NOT ISNAN({left[0]}))" if symbol == "=" else f"({compared} OR ISNAN({left[0]}))"


def _between(writer: Writer, node: exp.Expr) -> str:
    low, high = node.args.get("low"), node.args.get("high")
    if node.args.get("symmetric"):
        raise NotCheckable("BETWEEN SYMMETRIC")
    if _comparable(node.this, low, high) == "double" and _may_be_nan(high):
        raise NotCheckable("BETWEEN with a computed double")
    return f"({writer.write(node.this)} BETWEEN {writer.write(low)} AND {writer.write(high)})"


def _in(writer: Writer, node: exp.Expr) -> str:
    value = node.this
    if isinstance(value, exp.Tuple) and node.args.get("query") is not None and _only_true_counts(node):
        return _row_in(writer, value, node.args["query"])
    if isinstance(value, exp.Tuple) or node.args.get("unnest") is not None or node.args.get("field") is not None:
        raise NotCheckable("IN with a row or an array")
    query = node.args.get("query")
    if query is not None:
        inner = query.this if isinstance(query, exp.Subquery) else query
        selected = inner.selects[0] if isinstance(inner, exp.Query) and len(inner.selects) == 1 else None
        if _comparable(value, selected) == "double" and _may_be_nan(value) and _may_be_nan(selected):
            raise NotCheckable("IN with a subquery of doubles")
        return f"({writer.write(value)} IN {writer.write(query)})"
    items = node.expressions
    if _comparable(value, *items) == "double" and any(_may_be_nan(item) for item in items):
        raise NotCheckable("IN with computed doubles")
    return f"({writer.write(value)} IN ({', '.join(writer.write_all(items))}))"


def _only_true_counts(node: exp.Expr) -> bool:
    """Whether a condition's false and NULL mean the same: engines differ in these for rows that hold a NULL."""
    parent = node.parent
    while isinstance(parent, (exp.And, exp.Paren)):
        parent = parent.parent
    return isinstance(parent, exp.Where)


def _row_in(writer: Writer, row: exp.Tuple, query: exp.Expr) -> str:
    inner = query.this if isinstance(query, exp.Subquery) else query
    selected = inner.selects if isinstance(inner, exp.Query) else []
    if len(selected) != len(row.expressions):
        raise NotCheckable("IN with a row or an array")
    if any(_comparable(*pair) in ("double", "real") for pair in zip(row.expressions, selected, strict=True)):
        raise NotCheckable("IN with a row of doubles")
    return f"(({', '.join(writer.write_all(row.expressions))}) IN {_in_parentheses(writer, query)})"


def _in_parentheses(writer: Writer, query: exp.Expr) -> str:
    written = writer.write(query)
    return written if isinstance(query, exp.Subquery) else f"({written})"


def _is(writer: Writer, node: exp.Expr) -> str:
    if not isinstance(node.args.get("expression"), exp.Null):
        raise NotCheckable("IS with other than NULL")
    return f"({writer.write(node.this)} IS NULL)"


def _exists(writer: Writer, node: exp.Expr) -> str:
    inner = node.this
    written = writer.write(inner)
    return f"EXISTS {written}" if isinstance(inner, exp.Subquery) else f"EXISTS ({written})"


def _results(branches: list[exp.Expr]) -> None:
    kind = common_kind(branches)
    if kind.base == "real" and any(kind_of(branch).base not in ("real", "unknown") for branch in branches):
        raise NotCheckable("real beside another type")


def _case(writer: Writer, node: exp.Expr) -> str:
    branches, default = node.args.get("ifs") or [], node.args.get("default")
    results = [branch.args["true"] for branch in branches]
    _results(results if default is None else [*results, default])
    operand = node.args.get("this")
    parts = ["CASE"]
    if operand is not None:
        if _comparable(operand, *(branch.this for branch in branches)) == "double" and _may_be_nan(operand):
            raise NotCheckable("CASE over a double")
        parts.append(writer.write(operand))
    for branch in branches:
        parts.append(f"WHEN {writer.write(branch.this)} THEN {writer.write(branch.args['true'])}")
    if default is not None:
        parts.append(f"ELSE {writer.write(default)}")
    return " ".join([*parts, "END"])


def _if(writer: Writer, node: exp.Expr) -> str:
    yes, no = node.args.get("true"), node.args.get("false")
    if yes is None:
        raise NotCheckable("IF without a result")
    _results([yes] if no is None else [yes, no])
    tail = "" if no is None else f" ELSE {writer.write(no)}"
    return f"CASE WHEN {writer.write(node.this)} THEN {writer.write(yes)}{tail} END"


def _coalesce(writer: Writer, node: exp.Expr) -> str:
    arguments = [node.this, *node.expressions]
    _results(arguments)
    return f"COALESCE({', '.join(writer.write_all(arguments))})"


def _nullif(writer: Writer, node: exp.Expr) -> str:
    first, second = node.this, node.args.get("expression")
    if _comparable(first, second) == "double" and _may_be_nan(first) and _may_be_nan(second):
        raise NotCheckable("NULLIF of two doubles")
    return f"NULLIF({writer.write(first)}, {writer.write(second)})"


def _moved(symbol: str) -> Handler:
    """+ and - between a date or timestamp and an interval; else arithmetic."""
    numbers = NUMBERS[exp.Add if symbol == "+" else exp.Sub]

    def handler(writer: Writer, node: exp.Expr) -> str:
        left, right = node.this, node.args.get("expression")
        if right is not None and kind_of(right).base.startswith("interval"):
            return shifted(writer, left, right, symbol)
        if symbol == "+" and right is not None and kind_of(left).base.startswith("interval"):
            return shifted(writer, right, left, symbol)
        return numbers(writer, node)

    return handler


def checked_together(left: exp.Expr, right: exp.Expr) -> None:
    """Whether two branches of a set operation have a common type here.

    Raises:
        NotCheckable
    """
    one, other = kind_of(left), kind_of(right)
    joined = common_super_type(one, other)
    if joined is None or joined.base in ("char", "real"):
        raise NotCheckable(f"a set operation of {one} and {other}")


PREDICATES: dict[type[exp.Expr], Handler] = {
    exp.Column: _column,
    exp.Alias: _alias,
    exp.Paren: _paren,
    exp.Null: lambda writer, node: "NULL",
    exp.Boolean: lambda writer, node: "TRUE" if node.this else "FALSE",
    exp.And: _connected("AND"),
    exp.Or: _connected("OR"),
    exp.Not: _not,
    **dict.fromkeys(_COMPARED, _comparison),
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    exp.Exists: _exists,
    exp.Case: _case,
    exp.If: _if,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.Add: _moved("+"),
    exp.Sub: _moved("-"),
}
