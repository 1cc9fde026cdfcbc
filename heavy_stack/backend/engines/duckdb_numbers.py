"""Numbers: Trino's exact arithmetic, rounding and elementary functions on DuckDB."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.trino_types import TrinoType, arithmetic
from heavy_stack.backend.engines.duckdb_writer import Handler, Writer, common_kind, integer_literal, kind_of, terms

_HUGEINT_DIGITS = 38
_LONG_DIGITS = 18


def _literal(writer: Writer, node: exp.Expr) -> str:
    if node.args.get("is_string"):
        return "'" + str(node.this).replace("'", "''") + "'"
    digits = str(node.this)
    kind = kind_of(node)
    if kind.is_decimal and (digits.endswith(".") or kind.args[0] > 18):
        return f"CAST('{digits.rstrip('.')}' AS {kind})"
    return digits


def as_double(writer: Writer, node: exp.Expr | None) -> str:
    """The operand as DOUBLE."""
    return text_as_double(writer.write(node), kind_of(node))


def text_as_double(text: str, kind: TrinoType) -> str:
    """Written text of a known type as DOUBLE."""
    if not kind.is_numeric:
        raise NotCheckable(f"{kind} as a number")
    return text if kind.base == "double" else f"CAST({text} AS DOUBLE)"


_NARROW = ("tinyint", "smallint")
_SYMBOLS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}


def _arithmetic(writer: Writer, node: exp.Expr) -> str:
    if not isinstance(node, exp.Binary):
        raise NotCheckable("arithmetic")
    symbol = _SYMBOLS[type(node)]
    operands = terms(node)
    text, kind = writer.write(operands[0]), kind_of(operands[0])
    for operand in operands[1:]:
        other = kind_of(operand)
        result = arithmetic(symbol, kind, other)
        if result is None:
            raise NotCheckable(f"{kind} {symbol} {other}")
        text = _combined(symbol, text, kind, writer.write(operand), other, result, operand)
        kind = result
    return text


def _combined(
    symbol: str,
    left: str,
    left_kind: TrinoType,
    right: str,
    right_kind: TrinoType,
    result: TrinoType,
    operand: exp.Expr,
) -> str:
    if not (left_kind.is_numeric and right_kind.is_numeric):
        raise NotCheckable(f"{left_kind} {symbol} {right_kind}")
    if result.base == "real":
        raise NotCheckable("arithmetic on real")
    if result.base == "double":
        left, right = text_as_double(left, left_kind), text_as_double(right, right_kind)
        return f"({left} {symbol} {right})"
    if result.is_integer:
        if left_kind.base in _NARROW or right_kind.base in _NARROW:
            # DuckDB fits an integer literal to the column beside it; Trino's literal is an integer.
            left, right = f"CAST({left} AS {left_kind})", f"CAST({right} AS {right_kind})"
        return f"({left} {'//' if symbol == '/' else symbol} {right})"
    if symbol == "/":
        return exact_quotient(left, left_kind, right, right_kind, result)
    return f"({_roomy(left, left_kind, right_kind, result)} {symbol} {right})"


def _roomy(left: str, left_kind: TrinoType, right_kind: TrinoType, result: TrinoType) -> str:
    """DuckDB keeps the result of two 64-bit decimals in 64 bits, and overflows where Trino does not."""
    widths = [kind.as_decimal or (0, 0) for kind in (left_kind, right_kind)]
    if result.args[0] <= _LONG_DIGITS or max(width for width, _ in widths) > _LONG_DIGITS:
        return left
    return f"CAST({left} AS DECIMAL({result.args[0]},{widths[0][1]}))"


def exact_quotient(left: str, left_kind: TrinoType, right: str, right_kind: TrinoType, result: TrinoType) -> str:
    """left / right as Trino rounds a decimal quotient: half away from zero, at the result's scale.

    DuckDB divides decimals as doubles, so both are scaled to integers; dividing by zero is an error in both engines.
    """
    first, second = left_kind.as_decimal, right_kind.as_decimal
    if first is None or second is None:
        raise NotCheckable("a quotient of other than numbers")
    shift = result.args[1] - first[1] + second[1]
    over = f"{_unscaled(left, first[1])} * {10**shift}" if shift > 0 else _unscaled(left, first[1])
    under = _unscaled(right, second[1])
    return _scaled_back(rounded_quotient(over, under), result)


def rounded_quotient(over: str, under: str, *, under_is_positive: bool = False) -> str:
    """The integer nearest to over / under, ties away from zero, for two HUGEINT texts."""
    signs_differ = f"({over}) < 0" if under_is_positive else f"(({over}) < 0) <> ({under} < 0)"
    return f"((2 * ({over}) + CASE WHEN {signs_differ} THEN -{under} ELSE {under} END) // (2 * {under}))"


def _unscaled(text: str, scale: int) -> str:
    return f"CAST({text} * {10**scale} AS HUGEINT)" if scale else f"CAST({text} AS HUGEINT)"


def _scaled_back(integer: str, kind: TrinoType) -> str:
    precision, scale = kind.args
    if not scale:
        return f"CAST({integer} AS {kind})"
    unit = f"CAST('0.{'0' * (scale - 1)}1' AS DECIMAL({scale + 1},{scale}))"
    whole = min(_HUGEINT_DIGITS, precision)
    return f"CAST(CAST({integer} AS DECIMAL({whole},0)) * {unit} AS {kind})"


def exact_average(total: str, count: str, kind: TrinoType) -> str:
    """AVG of decimals from its SUM and COUNT, rounded half away from zero at the argument's scale; NULL for no rows."""
    over = _unscaled(total, kind.args[1])
    return _scaled_back(rounded_quotient(over, f"NULLIF({count}, 0)", under_is_positive=True), kind)


def _negated(writer: Writer, node: exp.Expr) -> str:
    kind = kind_of(node)
    if not kind.is_numeric:
        raise NotCheckable(f"a minus before {kind}")
    return f"(-{writer.write(node.this)})"


def _round(writer: Writer, node: exp.Expr) -> str:
    value, kind, result = writer.write(node.this), kind_of(node.this), kind_of(node)
    places = node.args.get("decimals")
    digits = 0 if places is None else integer_literal(places)
    if digits is None or abs(digits) > 30 or node.args.get("truncate") is not None:
        raise NotCheckable("round() to a computed number of places")
    if kind.is_decimal:
        rounded = value if digits >= kind.args[1] else f"ROUND({value}, {digits})"
        return f"CAST({rounded} AS {result})"
    if kind.is_integer:
        return value if digits >= 0 else f"CAST(ROUND({value}, {digits}) AS {result})"
    if kind.base == "double":
        return f"ROUND({value}, {digits})" if digits > 0 else f"ROUND({value})" if digits == 0 else _far(value, digits)
    raise NotCheckable(f"round() of {kind}")


def _far(value: str, digits: int) -> str:
    """round(double, -n): Trino multiplies by 10^-n, DuckDB divides by 10^n; they part at ties."""
    factor = f"1e{digits}"
    return f"CASE WHEN ISFINITE({value}) THEN ROUND({value} * {factor}) / {factor} ELSE {value} END"


def _truncate(writer: Writer, node: exp.Expr) -> str:
    value, kind, result = writer.write(node.this), kind_of(node.this), kind_of(node)
    places = node.args.get("decimals")
    if kind.is_integer and places is None:
        return f"CAST({value} AS {result})"
    if kind.base == "double" and places is None:
        return f"TRUNC({value})"
    if kind.is_decimal:
        digits = 0 if places is None else integer_literal(places)
        if digits is not None and 0 <= digits <= 30:
            if digits >= kind.args[1]:
                return f"CAST({value} AS {result})"
            unit = "1" if digits == 0 else f"CAST('0.{'0' * (digits - 1)}1' AS DECIMAL({digits + 1},{digits}))"
            return f"CAST({value} - {value} % {unit} AS {result})"
    raise NotCheckable("truncate() of this kind")


def _to_whole(name: str) -> Handler:
    def handler(writer: Writer, node: exp.Expr) -> str:
        value, kind = writer.write(node.this), kind_of(node.this)
        if node.args.get("decimals") is not None or node.args.get("to") is not None:
            raise NotCheckable(f"{name.lower()}() to a place")
        if kind.is_integer:
            return value
        if kind.is_decimal:
            return f"CAST({name}({value}) AS {kind_of(node)})"
        if kind.base == "double":
            return f"{name}({value})"
        raise NotCheckable(f"{name.lower()}() of {kind}")

    return handler


def _abs(writer: Writer, node: exp.Expr) -> str:
    kind = kind_of(node.this)
    if not kind.is_numeric or kind.base == "real":
        raise NotCheckable(f"abs() of {kind}")
    return f"ABS({writer.write(node.this)})"


def _sign(writer: Writer, node: exp.Expr) -> str:
    value, kind = writer.write(node.this), kind_of(node.this)
    if kind.base == "double":
        return f"CASE WHEN ISNAN({value}) THEN {value} ELSE CAST(SIGN({value}) AS DOUBLE) END"
    if kind.is_integer or kind.is_decimal:
        return f"CAST(SIGN({value}) AS {kind_of(node)})"
    raise NotCheckable(f"sign() of {kind}")


def _of_double(name: str) -> Handler:
    return lambda writer, node: f"{name}({as_double(writer, node.this)})"


def _power(writer: Writer, node: exp.Expr) -> str:
    return f"POW({as_double(writer, node.this)}, {as_double(writer, node.args.get('expression'))})"


def _log(writer: Writer, node: exp.Expr) -> str:
    """log(base, x): Trino's quotient of natural logarithms."""
    if node.args.get("expression") is None:
        raise NotCheckable("log() of one argument")
    return f"(LN({as_double(writer, node.args['expression'])}) / LN({as_double(writer, node.this)}))"


def _named_of_double(name: str) -> Handler:
    def handler(writer: Writer, node: exp.Expr) -> str:
        if len(node.expressions) != 1:
            raise NotCheckable(f"{name.lower()}() of several arguments")
        return f"{name}({as_double(writer, node.expressions[0])})"

    return handler


def _extreme(name: str) -> Handler:
    """GREATEST, LEAST: NULL when any argument is; DuckDB passes over NULLs."""

    def handler(writer: Writer, node: exp.Expr) -> str:
        arguments = [node.this, *node.expressions]
        kind = common_kind(arguments)
        if kind.is_float:
            raise NotCheckable(f"{name.lower()}() of {kind}")
        values = writer.write_all(arguments)
        missing = " OR ".join(f"{value} IS NULL" for value in values)
        return f"CASE WHEN {missing} THEN NULL ELSE {name}({', '.join(values)}) END"

    return handler


NUMBERS: dict[type[exp.Expr], Handler] = {
    exp.Literal: _literal,
    exp.Add: _arithmetic,
    exp.Sub: _arithmetic,
    exp.Mul: _arithmetic,
    exp.Div: _arithmetic,
    exp.Mod: _arithmetic,
    exp.Neg: _negated,
    exp.Round: _round,
    exp.Trunc: _truncate,
    exp.Ceil: _to_whole("CEIL"),
    exp.Floor: _to_whole("FLOOR"),
    exp.Abs: _abs,
    exp.Sign: _sign,
    exp.Sqrt: _of_double("SQRT"),
    exp.Cbrt: _of_double("CBRT"),
    exp.Exp: _of_double("EXP"),
    exp.Ln: _of_double("LN"),
    exp.Pow: _power,
    exp.Log: _log,
    exp.Pi: lambda writer, node: "PI()",
    exp.Greatest: _extreme("GREATEST"),
    exp.Least: _extreme("LEAST"),
}
NUMBER_FUNCTIONS: dict[str, Handler] = {
    "log10": _named_of_double("LOG10"),
    "log2": _named_of_double("LOG2"),
    "is_finite": _named_of_double("ISFINITE"),
}
