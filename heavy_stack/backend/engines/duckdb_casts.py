"""CAST and TRY_CAST between the common types."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.trino_types import TrinoType, from_node
from heavy_stack.backend.engines.duckdb_writer import Handler, Writer, kind_of, string_literal, text_literal

_WHOLE = "^[+-]?[0-9]+$"
_NUMBER = "^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?$"
_DECIMAL = "^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)$"
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_NO_DIGIT = "^[\\x00-/:-\\x7f]*$"


def _cast(writer: Writer, node: exp.Expr) -> str:
    source, target = kind_of(node.this), from_node(node.args.get("to"))
    if target is None:
        raise NotCheckable("a CAST to a type that is not known")
    if node.args.get("format") is not None:
        raise NotCheckable("a CAST with a format")
    literal = string_literal(node.this)
    if literal is not None:
        return _of_literal(literal, source, target, isinstance(node, exp.TryCast))
    return converted(writer.write(node.this), source, target, isinstance(node, exp.TryCast))


def _of_literal(text: str, source: TrinoType, target: TrinoType, trying: bool) -> str:
    """A constant's text is checked here: DuckDB reads more spellings than Trino."""
    written = text_literal(text)
    if target.base == "date" and _is_date(text):
        return f"CAST({written} AS DATE)"
    if target.base == "timestamp" and not target.zone and target.args[0] <= 6:
        day, _, clock = text.partition(" ")
        if _is_date(day) and _is_clock(clock, target.args[0]):
            return f"CAST({written} AS TIMESTAMP)"
        raise NotCheckable("a timestamp written in an unusual way")
    return converted(written, source, target, trying)


def _is_date(text: str) -> bool:
    parts = text.split("-")
    return [len(part) for part in parts] == [4, 2, 2] and all(part.isascii() and part.isdigit() for part in parts)


def _is_clock(text: str, places: int) -> bool:
    if not text:
        return True
    clock, _, fraction = text.partition(".")
    parts = clock.split(":")
    digits = all(part.isascii() and part.isdigit() and len(part) == 2 for part in parts)
    return len(parts) == 3 and digits and len(fraction) <= places and (not fraction or fraction.isdigit())


def converted(value: str, source: TrinoType, target: TrinoType, trying: bool) -> str:
    """Written text of a known type as another type.

    Raises:
        NotCheckable: The two engines are not known to convert alike.
    """
    if source == target:
        return value
    if source.base == "unknown":
        return f"CAST({value} AS {_name(target)})"
    word = "TRY_CAST" if trying else "CAST"
    if source.base == "varchar":
        return _of_text(value, target, trying)
    if target.base == "varchar":
        return _to_text(value, source, target)
    if target.is_numeric:
        return _to_number(value, source, target, word)
    if target.base == "date" and source.base == "timestamp" and not source.zone:
        return f"CAST({value} AS DATE)"
    plain_moments = target.base == "timestamp" and not target.zone and source.is_datetime and not source.zone
    if plain_moments and (source.base == "date" or source.args[0] <= target.args[0] <= 6):
        return f"CAST({value} AS TIMESTAMP)"
    if plain_moments and source.base == "timestamp" and source.args[0] == 6 and target.args[0] < 6:
        return _rounded(value, target.args[0])
    if target.base == "boolean" and source.is_integer:
        return f"CAST({value} AS BOOLEAN)"
    raise NotCheckable(f"a CAST from {source} to {target}")


def _rounded(moment: str, places: int) -> str:
    """A timestamp with fewer places of its seconds, rounded half up as Trino does (also before 1970)."""
    unit = 10 ** (6 - places)
    shifted = f"(EPOCH_US({moment}) + {unit // 2})"
    return f"MAKE_TIMESTAMP({shifted} - (({shifted} % {unit}) + {unit}) % {unit})"


def _name(target: TrinoType) -> str:
    names = {"real": "FLOAT", "timestamp": "TIMESTAMP", "varchar": "VARCHAR"}
    if target.zone or target.base in ("char", "time", "json", "unknown") or "(" in target.base:
        raise NotCheckable(f"a CAST to {target}")
    return names.get(target.base, str(target).upper())


def _to_number(value: str, source: TrinoType, target: TrinoType, word: str) -> str:
    if target.base == "real" or source.base == "real":
        if source.base == "real" and target.base == "double":
            return f"CAST({value} AS DOUBLE)"
        raise NotCheckable(f"a CAST from {source} to {target}")
    if source.base == "boolean":
        if target.is_decimal:
            raise NotCheckable("a CAST from boolean to decimal")
        return f"CAST(CAST({value} AS INTEGER) AS {target})"
    if not source.is_numeric:
        raise NotCheckable(f"a CAST from {source} to {target}")
    if source.base == "double" and target.is_integer:
        # Trino rounds half away from zero, DuckDB half to even.
        return f"{word}(ROUND({value}) AS {target})"
    if source.base == "double" and target.is_decimal:
        # Through the shortest spelling: Trino rounds what the double prints as.
        return f"{word}(CAST({value} AS VARCHAR) AS {target})"
    if source.is_decimal and target.is_integer:
        return f"{word}(ROUND({value}) AS {target})" if source.args[1] else f"{word}({value} AS {target})"
    return f"{word}({value} AS {target})"


def _to_text(value: str, source: TrinoType, target: TrinoType) -> str:
    if source.is_integer or source.base in ("boolean", "date") or source.is_decimal:
        if target.args and target.args[0] < 41:
            raise NotCheckable(f"a CAST from {source} to {target}")
        return f"CAST({value} AS VARCHAR)"
    if source.base == "timestamp" and not source.zone and source.args[0] in (0, 3, 6) and not target.args:
        tail = {0: "", 3: ".%g", 6: ".%f"}[source.args[0]]
        return f"STRFTIME({value}, '%Y-%m-%d %H:%M:%S{tail}')"
    raise NotCheckable(f"a CAST from {source} to {target}")


def _of_text(value: str, target: TrinoType, trying: bool) -> str:
    """A string as a number or date, for spellings that both engines read alike; others are an error, never a guess."""
    if target.base == "varchar":
        return f"SUBSTRING({value}, 1, {target.args[0]})" if target.args else value
    pattern = {"date": _DATE, "double": _NUMBER}.get(target.base)
    if target.is_integer:
        pattern = _WHOLE
    elif target.is_decimal:
        pattern = _DECIMAL
    if pattern is None:
        raise NotCheckable(f"a CAST from varchar to {target}")
    word = "TRY_CAST" if trying else "CAST"
    cast = f"{word}({value} AS {target})"
    matched = f"REGEXP_MATCHES({value}, {text_literal(pattern)})"
    failed = "ERROR('a string that is not checked as a number or date')"
    if not trying:
        return f"CASE WHEN {matched} THEN {cast} WHEN {value} IS NOT NULL THEN {failed} END"
    hopeless = f"REGEXP_MATCHES({value}, {text_literal(_NO_DIGIT)}) AND LOWER({value}) NOT IN ({_SPECIAL})"
    return f"CASE WHEN {matched} THEN {cast} WHEN {hopeless} THEN NULL WHEN {value} IS NOT NULL THEN {failed} END"


_SPECIAL = "'nan', 'infinity', '+infinity', '-infinity', '+nan', '-nan'"

CASTS: dict[type[exp.Expr], Handler] = {exp.Cast: _cast, exp.TryCast: _cast}
