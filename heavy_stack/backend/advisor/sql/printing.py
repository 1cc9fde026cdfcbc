"""Tree → Trino SQL. The one way to print: `str()` and other dialects write functions that Trino does not have."""

from __future__ import annotations

from sqlglot import exp


class Unprintable(Exception):
    """The tree holds something whose meaning printing would change; the message names it."""


def trino_sql(tree: exp.Expr) -> str:
    """The tree as Trino SQL on one line, without comments.

    Raises:
        Unprintable: A decimal literal without its precision and scale (`decimal_literal` writes it right).
    """
    for cast in tree.find_all(exp.Cast):
        target = cast.to
        if target.this == exp.DType.DECIMAL and not target.expressions and isinstance(cast.this, exp.Literal):
            raise Unprintable("a decimal literal without precision and scale")
    return tree.sql(dialect="trino", comments=False)


def decimal_literal(digits: str, precision: int, scale: int) -> exp.Cast:
    """`CAST('0.06' AS DECIMAL(p, s))`: the same value and type as `DECIMAL '0.06'`, also for Trino 476."""
    return cast_to(exp.Literal.string(digits), f"decimal({precision},{scale})")


def cast_to(value: exp.Expr, type_name: str) -> exp.Cast:
    """`CAST(value AS type)` with the type in Trino's spelling; the node's own type is set."""
    target = exp.DataType.build(type_name, dialect="trino")
    cast = exp.Cast(this=value, to=target)
    cast.type = target.copy()
    return cast


__all__ = ["Unprintable", "cast_to", "decimal_literal", "trino_sql"]
