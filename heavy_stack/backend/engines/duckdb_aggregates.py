"""Aggregates and window functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.engines.duckdb_numbers import exact_average, text_as_double
from heavy_stack.backend.engines.duckdb_writer import (
    Handler,
    Writer,
    common_kind,
    describe,
    integer_literal,
    kind_of,
    quoted,
)


@dataclass(frozen=True)
class Around:
    """What stands around an aggregate: its FILTER's condition and its window, written."""

    condition: str | None = None
    over: str | None = None

    def suffix(self, also: str | None = None) -> str:
        """FILTER and OVER, with a further condition joined on."""
        conditions = [text for text in (also, self.condition) if text]
        kept = f" FILTER (WHERE {' AND '.join(conditions)})" if conditions else ""
        return kept + (f" OVER {self.over}" if self.over else "")


Aggregate = Callable[[Writer, exp.Expr, Around], str]


def _argument(node: exp.Expr) -> tuple[exp.Expr, str]:
    """The argument, and `DISTINCT ` if it stands before it."""
    inner = node.this
    if isinstance(inner, exp.Distinct):
        if len(inner.expressions) != 1 or inner.args.get("on") is not None:
            raise NotCheckable(f"{describe(node)} of several distinct columns")
        return inner.expressions[0], "DISTINCT "
    if not isinstance(inner, exp.Expr) or node.expressions:
        raise NotCheckable(describe(node))
    return inner, ""


def _count(writer: Writer, node: exp.Expr, around: Around) -> str:
    if isinstance(node.this, exp.Star) or (node.this is None and not node.expressions):
        return f"COUNT(*){around.suffix()}"
    argument, distinct = _argument(node)
    return f"COUNT({distinct}{writer.write(argument)}){around.suffix()}"


def _count_if(writer: Writer, node: exp.Expr, around: Around) -> str:
    argument, distinct = _argument(node)
    if distinct:
        raise NotCheckable("count_if(DISTINCT …)")
    return f"COUNT(*){around.suffix(writer.write(argument))}"


def _sum(writer: Writer, node: exp.Expr, around: Around) -> str:
    argument, distinct = _argument(node)
    kind = kind_of(argument)
    written = f"SUM({distinct}{writer.write(argument)}){around.suffix()}"
    if kind.is_integer:
        return f"CAST({written} AS BIGINT)"
    if kind.is_decimal or kind.base == "double":
        return written
    raise NotCheckable(f"sum() of {kind}")


def _avg(writer: Writer, node: exp.Expr, around: Around) -> str:
    argument, distinct = _argument(node)
    kind, value = kind_of(argument), writer.write(argument)
    if kind.is_decimal:
        total, count = (f"{name}({distinct}{value}){around.suffix()}" for name in ("SUM", "COUNT"))
        return exact_average(total, count, kind)
    if kind.is_integer or kind.base == "double":
        return f"AVG({distinct}{value}){around.suffix()}"
    raise NotCheckable(f"avg() of {kind}")


def _extreme(name: str) -> Aggregate:
    def aggregate(writer: Writer, node: exp.Expr, around: Around) -> str:
        argument, _ = _argument(node)
        kind = kind_of(argument)
        if kind.base == "char" or kind.base.startswith(("array", "map", "row", "json", "unknown")):
            raise NotCheckable(f"{name.lower()}() of {kind}")
        value = writer.write(argument)
        written = f"{name}({value}){around.suffix()}"
        if name == "MAX" and kind.base == "double":
            # NaN is the largest number in DuckDB; Trino's max passes over it while there is another.
            return f"COALESCE(MAX({value}){around.suffix(f'NOT ISNAN({value})')}, {written})"
        return written

    return aggregate


def _of_double(name: str) -> Aggregate:
    def aggregate(writer: Writer, node: exp.Expr, around: Around) -> str:
        argument, distinct = _argument(node)
        value = text_as_double(writer.write(argument), kind_of(argument))
        return f"{name}({distinct}{value}){around.suffix()}"

    return aggregate


def _of_pair(name: str) -> Aggregate:
    def aggregate(writer: Writer, node: exp.Expr, around: Around) -> str:
        first, second = node.this, node.args.get("expression")
        if isinstance(first, exp.Distinct) or "real" in (kind_of(first).base, kind_of(second).base):
            raise NotCheckable(f"{name.lower()}() of these")
        one, other = (text_as_double(writer.write(item), kind_of(item)) for item in (first, second))
        if kind_of(node).base == "real":
            # Without a double among them Trino takes both arguments as real.
            one, other = (f"CAST(CAST({item} AS FLOAT) AS DOUBLE)" for item in (one, other))
        written = f"{name}({one}, {other}){around.suffix()}"
        if name == "CORR":
            # Where a variance is zero Trino's correlation is NULL, DuckDB's NaN.
            written = f"CASE WHEN ISFINITE({written}) THEN {written} END"
        return f"CAST({written} AS FLOAT)" if kind_of(node).base == "real" else written

    return aggregate


def _boolean(name: str) -> Aggregate:
    def aggregate(writer: Writer, node: exp.Expr, around: Around) -> str:
        argument, _ = _argument(node)
        return f"{name}({writer.write(argument)}){around.suffix()}"

    return aggregate


def _any_value(writer: Writer, node: exp.Expr, around: Around) -> str:
    argument, _ = _argument(node)
    return f"ANY_VALUE({writer.write(argument)}){around.suffix()}"


def _by(name: str) -> Aggregate:
    """max_by, min_by: the first argument may be NULL, rows with a NULL key do not count."""

    def aggregate(writer: Writer, node: exp.Expr, around: Around) -> str:
        value, key = node.this, node.args.get("expression")
        if node.args.get("count") is not None or isinstance(value, exp.Distinct) or kind_of(key).is_float:
            raise NotCheckable(f"{describe(node)} with this key")
        return f"{name}({writer.write(value)}, {writer.write(key)}){around.suffix()}"

    return aggregate


_AGGREGATES: dict[type[exp.Expr], Aggregate] = {
    exp.Count: _count,
    exp.CountIf: _count_if,
    exp.Sum: _sum,
    exp.Avg: _avg,
    exp.Min: _extreme("MIN"),
    exp.Max: _extreme("MAX"),
    exp.Stddev: _of_double("STDDEV_SAMP"),
    exp.StddevSamp: _of_double("STDDEV_SAMP"),
    exp.StddevPop: _of_double("STDDEV_POP"),
    exp.Variance: _of_double("VAR_SAMP"),
    exp.VariancePop: _of_double("VAR_POP"),
    exp.Corr: _of_pair("CORR"),
    exp.CovarPop: _of_pair("COVAR_POP"),
    exp.CovarSamp: _of_pair("COVAR_SAMP"),
    exp.LogicalAnd: _boolean("BOOL_AND"),
    exp.LogicalOr: _boolean("BOOL_OR"),
    exp.AnyValue: _any_value,
    exp.ArgMax: _by("ARG_MAX_NULL"),
    exp.ArgMin: _by("ARG_MIN_NULL"),
}
_RANKS: dict[type[exp.Expr], str] = {
    exp.RowNumber: "ROW_NUMBER",
    exp.Rank: "RANK",
    exp.DenseRank: "DENSE_RANK",
    exp.PercentRank: "PERCENT_RANK",
    exp.CumeDist: "CUME_DIST",
}
_POSITIONS: dict[type[exp.Expr], str] = {
    exp.Lag: "LAG",
    exp.Lead: "LEAD",
    exp.FirstValue: "FIRST_VALUE",
    exp.LastValue: "LAST_VALUE",
    exp.NthValue: "NTH_VALUE",
}


def _plain(writer: Writer, node: exp.Expr) -> str:
    return _AGGREGATES[type(node)](writer, node, Around())


def _filtered(writer: Writer, node: exp.Expr) -> str:
    return _around(writer, node, None)


def _around(writer: Writer, node: exp.Expr, over: str | None) -> str:
    condition: str | None = None
    if isinstance(node, exp.Filter):
        condition = writer.write(node.args["expression"].this)
        node = node.this
    aggregate = _AGGREGATES.get(type(node))
    if aggregate is None:
        raise NotCheckable(f"{describe(node)} is not checked on the embedded engine")
    if over is not None and condition is not None:
        raise NotCheckable("FILTER before OVER, which Trino does not have")
    return aggregate(writer, node, Around(condition, over))


def _window(writer: Writer, node: exp.Expr) -> str:
    over = window_text(writer, node)
    function, nulls = node.this, ""
    if isinstance(function, (exp.IgnoreNulls, exp.RespectNulls)):
        nulls = " IGNORE NULLS" if isinstance(function, exp.IgnoreNulls) else ""
        function = function.this
    rank = _RANKS.get(type(function))
    if rank is not None and not nulls and not function.expressions:
        return f"{rank}() OVER {over}"
    if isinstance(function, exp.Ntile) and integer_literal(function.this) is not None:
        return f"NTILE({integer_literal(function.this)}) OVER {over}"
    if type(function) in _POSITIONS:
        return _position(writer, function, nulls, over)
    if nulls:
        raise NotCheckable(f"{describe(function)} IGNORE NULLS")
    return _around(writer, function, over)


def _position(writer: Writer, node: exp.Expr, nulls: str, over: str) -> str:
    arguments = [writer.write(node.this)]
    offset, default = node.args.get("offset"), node.args.get("default")
    if offset is not None:
        number = integer_literal(offset)
        if number is None or number < (1 if isinstance(node, exp.NthValue) else 0):
            raise NotCheckable(f"{describe(node)} by a computed offset")
        arguments.append(str(number))
    if default is not None:
        common_kind([node.this, default])
        arguments.append(writer.write(default))
    arguments[0] += "" if len(arguments) > 1 else nulls
    arguments[-1] += nulls if len(arguments) > 1 else ""
    return f"{_POSITIONS[type(node)]}({', '.join(arguments)}) OVER {over}"


def window_text(writer: Writer, node: exp.Expr) -> str:
    """What stands after OVER, or after a named window's AS."""
    alias = node.args.get("alias")
    if node.args.get("first") is not None:
        raise NotCheckable("a window with FIRST or LAST")
    parts: list[str] = []
    partition = node.args.get("partition_by") or []
    if partition:
        parts.append(f"PARTITION BY {', '.join(writer.write_all(partition))}")
    order = node.args.get("order")
    if order is not None:
        parts.append(f"ORDER BY {', '.join(writer.write_all(order.expressions))}")
    spec = node.args.get("spec")
    if spec is not None:
        parts.append(_frame(spec))
    if alias is not None:
        if parts:
            raise NotCheckable("a window that extends a named one")
        return quoted(alias.name)
    return f"({' '.join(parts)})"


def _frame(spec: exp.Expr) -> str:
    kind = str(spec.args.get("kind") or "").upper()
    if kind not in ("ROWS", "RANGE") or spec.args.get("exclude") is not None:
        raise NotCheckable(f"a {kind or '?'} frame")
    start = _bound(spec.args.get("start"), spec.args.get("start_side"), kind)
    end = _bound(spec.args.get("end"), spec.args.get("end_side"), kind)
    return f"{kind} BETWEEN {start} AND {end}"


def _bound(bound: object, side: object, kind: str) -> str:
    if bound is None:
        return "CURRENT ROW"
    if isinstance(bound, str):
        word = bound.upper()
        return word if word == "CURRENT ROW" else f"{word} {str(side or '').upper()}"
    number = integer_literal(bound) if isinstance(bound, exp.Expr) else None
    if number is None or number < 0 or kind != "ROWS":
        raise NotCheckable("a frame with a computed bound")
    return f"{number} {str(side or '').upper()}"


def _ordered(writer: Writer, node: exp.Expr) -> str:
    """NULLs come last in Trino unless the query says otherwise, whatever the direction."""
    direction = "DESC" if node.args.get("desc") else "ASC"
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    if node.args.get("with_fill") is not None:
        raise NotCheckable("ORDER BY … WITH FILL")
    return f"{writer.write(node.this)} {direction} NULLS {nulls}"


def _grouping(writer: Writer, node: exp.Expr) -> str:
    return f"CAST(GROUPING({', '.join(writer.write_all(node.expressions))}) AS INTEGER)"


AGGREGATES: dict[type[exp.Expr], Handler] = {
    **dict.fromkeys(_AGGREGATES, _plain),
    exp.Filter: _filtered,
    exp.Window: _window,
    exp.Ordered: _ordered,
    exp.Grouping: _grouping,
}
