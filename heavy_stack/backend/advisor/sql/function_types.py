"""One rule per kind of expression: Trino's result type from the operands' types, None where it is not known."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from heavy_stack.backend.advisor.sql.trino_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DAY_INTERVAL,
    DOUBLE,
    INTEGER,
    REAL,
    UNKNOWN_LITERAL,
    VARCHAR,
    YEAR_INTERVAL,
    TrinoType,
    arithmetic,
    common_super_type,
    decimal,
    from_node,
    varchar,
)

Lookup = Callable[[exp.Expr | None], TrinoType | None]
Rule = Callable[[exp.Expr, Lookup], TrinoType | None]

YEAR_UNITS = frozenset({"YEAR", "QUARTER", "MONTH"})


def number_type(digits: str) -> TrinoType | None:
    """Type of a number literal: integer, bigint, decimal(p,s), or double with an exponent."""
    if "e" in digits.lower():
        return DOUBLE
    if "." in digits:
        whole, _, fraction = digits.partition(".")
        precision = len(whole.lstrip("0")) + len(fraction)
        return decimal(precision, len(fraction)) if precision <= 38 else None
    value = int(digits)
    if value < 2**31:
        return INTEGER
    return BIGINT if value < 2**63 else None


def _literal(node: exp.Expr, of: Lookup) -> TrinoType | None:
    text = str(node.this)
    return TrinoType("varchar", (len(text),)) if node.is_string else number_type(text)


def _always(kind: TrinoType) -> Rule:
    return lambda node, of: kind


def _same(node: exp.Expr, of: Lookup) -> TrinoType | None:
    return of(node.this)


def _operator(symbol: str) -> Rule:
    return lambda node, of: arithmetic(symbol, of(node.this), of(node.args.get("expression")))


def _super(kinds: list[TrinoType | None]) -> TrinoType | None:
    result: TrinoType | None = kinds[0] if kinds else None
    for kind in kinds[1:]:
        result = common_super_type(result, kind)
    return result


def _case(node: exp.Expr, of: Lookup) -> TrinoType | None:
    results = [of(branch.args.get("true")) for branch in node.args.get("ifs") or []]
    if node.args.get("default") is not None:
        results.append(of(node.args["default"]))
    return _super(results)


def _if(node: exp.Expr, of: Lookup) -> TrinoType | None:
    if isinstance(node.parent, exp.Case):
        return of(node.args.get("true"))
    results = [of(node.args.get("true"))]
    if node.args.get("false") is not None:
        results.append(of(node.args["false"]))
    return _super(results)


def _arguments(node: exp.Expr, of: Lookup) -> TrinoType | None:
    return _super([of(node.this), *(of(item) for item in node.expressions)])


def _cast(node: exp.Expr, of: Lookup) -> TrinoType | None:
    return from_node(node.args.get("to"))


def _argument(node: exp.Expr) -> exp.Expr | None:
    """The argument of an aggregate, without its DISTINCT."""
    inner = node.this
    if isinstance(inner, exp.Distinct):
        return inner.expressions[0] if len(inner.expressions) == 1 else None
    return inner if isinstance(inner, exp.Expr) else None


def _aggregated(node: exp.Expr, of: Lookup) -> TrinoType | None:
    return of(_argument(node))


def _sum(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kind = of(_argument(node))
    if kind is None or kind.is_float:
        return kind
    if kind.is_integer:
        return BIGINT
    return decimal(38, kind.args[1]) if kind.is_decimal else (kind if kind in (DAY_INTERVAL, YEAR_INTERVAL) else None)


def _avg(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kind = of(_argument(node))
    if kind is None:
        return None
    if kind.is_integer:
        return DOUBLE
    return kind if kind.is_float or kind.is_decimal or kind in (DAY_INTERVAL, YEAR_INTERVAL) else None


def _covariance(node: exp.Expr, of: Lookup) -> TrinoType | None:
    left, right = of(node.this), of(node.args.get("expression"))
    if left is None or right is None or not (left.is_numeric and right.is_numeric):
        return None
    # Trino has these for real and for double, and picks the narrower one that takes both arguments.
    return DOUBLE if "double" in (left.base, right.base) else REAL


def _of_number(kind: TrinoType) -> Rule:
    """A function of one number, whatever its kind, e.g. sqrt."""

    def rule(node: exp.Expr, of: Lookup) -> TrinoType | None:
        argument = of(_argument(node))
        return kind if argument is not None and (argument.is_numeric or argument == UNKNOWN_LITERAL) else None

    return rule


def _round(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kind = of(node.this)
    if kind is None or not kind.is_decimal:
        return kind if kind is not None and kind.is_numeric else None
    precision, scale = kind.args
    if node.args.get("decimals") is not None:
        return decimal(precision + 1, scale)
    return decimal(precision - scale + min(1, scale), 0)


def _truncate(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kind = of(node.this)
    if kind is None or not kind.is_numeric:
        return None
    if kind.is_float:
        return kind
    precision, scale = kind.as_decimal or (0, 0)
    if node.args.get("decimals") is not None:
        return kind if kind.is_decimal else None
    return decimal(max(1, precision - scale), 0)


def _ceiling(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kind = of(node.this)
    if kind is None or not kind.is_decimal:
        return kind if kind is not None and kind.is_numeric else None
    precision, scale = kind.args
    return decimal(precision - scale + min(1, scale), 0)


def _sign(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kind = of(node.this)
    return decimal(1, 0) if kind is not None and kind.is_decimal else kind


def _pipes(node: exp.Expr, of: Lookup) -> TrinoType | None:
    left, right = of(node.this), of(node.args.get("expression"))
    if left is None or right is None:
        return None
    if left.base == right.base == "char":
        return TrinoType("char", (min(65536, left.length + right.length),))
    return VARCHAR if left.is_text and right.is_text else None


def _concat(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kinds = [of(item) for item in node.expressions]
    return VARCHAR if all(kind is not None and kind.base == "varchar" for kind in kinds) else None


def _text_like(node: exp.Expr, of: Lookup) -> TrinoType | None:
    """A part or a spelling of the argument: as long at most."""
    kind = of(node.this)
    return kind if kind is not None and kind.is_text else None


def _replace(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kind, by = of(node.this), of(node.args.get("replacement"))
    if kind is None or by is None or kind.base != "varchar" or by.base != "varchar":
        return None
    return varchar(kind.length + by.length * (kind.length + 1))


def _regexp_replace(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kind, by = of(node.this), of(node.args.get("replacement"))
    if kind is None or kind.base != "varchar" or by is None or by.base != "varchar":
        return None
    return varchar(kind.length + max(kind.length * by.length // 2, by.length) * (kind.length + 1))


def _interval(node: exp.Expr, of: Lookup) -> TrinoType | None:
    unit = node.args.get("unit")
    name = unit.sql(dialect="trino").upper() if unit is not None else ""
    return YEAR_INTERVAL if name.split(" ", 1)[0] in YEAR_UNITS else DAY_INTERVAL if name else None


def _calendar(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kind = of(node.this)
    return kind if kind is not None and kind.is_datetime else None


def _array(node: exp.Expr, of: Lookup) -> TrinoType | None:
    element = _super([of(item) for item in node.expressions]) if node.expressions else None
    return None if element is None else TrinoType(f"array({element})")


def _sequence(node: exp.Expr, of: Lookup) -> TrinoType | None:
    kinds = [of(node.args.get(key)) for key in ("start", "end", "step") if node.args.get(key) is not None]
    return TrinoType("array(bigint)") if all(kind is not None and kind.is_integer for kind in kinds) else None


RULES: dict[type[exp.Expr], Rule] = {
    exp.Literal: _literal,
    exp.Null: _always(UNKNOWN_LITERAL),
    exp.Alias: _same,
    exp.Paren: _same,
    exp.Neg: _same,
    exp.Filter: _same,
    exp.Window: _same,
    exp.IgnoreNulls: _same,
    exp.RespectNulls: _same,
    exp.Ordered: _same,
    exp.Add: _operator("+"),
    exp.Sub: _operator("-"),
    exp.Mul: _operator("*"),
    exp.Div: _operator("/"),
    exp.Mod: _operator("%"),
    exp.Case: _case,
    exp.If: _if,
    exp.Coalesce: _arguments,
    exp.Greatest: _arguments,
    exp.Least: _arguments,
    exp.Nullif: _same,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Sum: _sum,
    exp.Avg: _avg,
    exp.Min: _aggregated,
    exp.Max: _aggregated,
    exp.AnyValue: _aggregated,
    exp.ArgMax: _aggregated,
    exp.ArgMin: _aggregated,
    exp.Corr: _covariance,
    exp.CovarPop: _covariance,
    exp.CovarSamp: _covariance,
    exp.Lag: _same,
    exp.Lead: _same,
    exp.FirstValue: _same,
    exp.LastValue: _same,
    exp.NthValue: _same,
    exp.Round: _round,
    exp.Trunc: _truncate,
    exp.Ceil: _ceiling,
    exp.Floor: _ceiling,
    exp.Abs: _same,
    exp.Sign: _sign,
    exp.DPipe: _pipes,
    exp.Concat: _concat,
    exp.Lower: _text_like,
    exp.Upper: _text_like,
    exp.Substring: _text_like,
    exp.Trim: _text_like,
    exp.Reverse: _text_like,
    exp.SplitPart: _text_like,
    exp.RegexpExtract: _text_like,
    exp.RegexpReplace: _regexp_replace,
    exp.Replace: _replace,
    exp.Interval: _interval,
    exp.TimestampTrunc: _calendar,
    exp.DateTrunc: _calendar,
    exp.DateAdd: _calendar,
    exp.Array: _array,
    exp.GenerateSeries: _sequence,
    exp.Chr: _always(varchar(1)),
    exp.Pad: _always(VARCHAR),
    exp.TimeToStr: _always(VARCHAR),
    exp.JSONExtractScalar: _always(VARCHAR),
    exp.Grouping: _always(INTEGER),
    exp.CurrentTimestamp: _always(TrinoType("timestamp", (3,), zone=True)),
    exp.Localtimestamp: _always(TrinoType("timestamp", (3,))),
    **dict.fromkeys((exp.CurrentDate, exp.Date, exp.LastDay), _always(DATE)),
    **dict.fromkeys(
        (
            exp.Count,
            exp.CountIf,
            exp.ApproxDistinct,
            exp.RowNumber,
            exp.Rank,
            exp.DenseRank,
            exp.Ntile,
            exp.Length,
            exp.StrPosition,
            exp.Extract,
            exp.Year,
            exp.Quarter,
            exp.Month,
            exp.Day,
            exp.DayOfMonth,
            exp.DayOfWeekIso,
            exp.DayOfYear,
            exp.WeekOfYear,
            exp.YearOfWeek,
            exp.Hour,
            exp.Minute,
            exp.Second,
            exp.DateDiff,
        ),
        _always(BIGINT),
    ),
    **dict.fromkeys(
        (
            exp.Sqrt,
            exp.Cbrt,
            exp.Exp,
            exp.Ln,
            exp.Log,
            exp.Pow,
            exp.Stddev,
            exp.StddevPop,
            exp.StddevSamp,
            exp.Variance,
            exp.VariancePop,
        ),
        _of_number(DOUBLE),
    ),
    **dict.fromkeys((exp.Rand, exp.Pi, exp.PercentRank, exp.CumeDist), _always(DOUBLE)),
    **dict.fromkeys(
        (
            exp.Boolean,
            exp.And,
            exp.Or,
            exp.Not,
            exp.EQ,
            exp.NEQ,
            exp.GT,
            exp.GTE,
            exp.LT,
            exp.LTE,
            exp.NullSafeEQ,
            exp.NullSafeNEQ,
            exp.Is,
            exp.Between,
            exp.In,
            exp.Like,
            exp.Escape,
            exp.Exists,
            exp.RegexpLike,
            exp.StartsWith,
            exp.LogicalAnd,
            exp.LogicalOr,
        ),
        _always(BOOLEAN),
    ),
}


_PLAIN_DOUBLE = frozenset({"log10", "log2"})
_PLAIN_VARCHAR = frozenset({"format_datetime", "url_extract_host", "url_extract_path", "url_extract_query"})


def _anonymous(node: exp.Expr, of: Lookup) -> TrinoType | None:
    """Functions that sqlglot has no node for, or that parsing.py keeps as they were written."""
    if str(node.this).lower() in _PLAIN_DOUBLE and len(node.expressions) == 1:
        kind = of(node.expressions[0])
        return DOUBLE if kind is not None and kind.is_numeric else None
    if str(node.this).lower() == "is_finite":
        return BOOLEAN
    return VARCHAR if str(node.this).lower() in _PLAIN_VARCHAR else None


RULES[exp.Anonymous] = _anonymous
