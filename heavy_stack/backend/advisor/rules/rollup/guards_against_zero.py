"""Divisors that a CASE keeps from being zero: `CASE WHEN b > 0 THEN a / b END` fails on no row."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.trees import conjuncts, terms, text_of, unwrapped

Divisors = frozenset[str]
"""Texts of expressions that are not zero (they may be NULL: then so is the quotient)."""


def nodes_with_divisors(node: exp.Expr) -> Iterator[tuple[exp.Expr, Divisors]]:
    """The nodes of an expression (nested queries are given, not entered), each with the divisors known not to be 0."""
    waiting: list[tuple[exp.Expr, Divisors]] = [(node, frozenset())]
    while waiting:
        current, known = waiting.pop()
        yield current, known
        if isinstance(current, exp.Query) and current is not node:
            continue
        if isinstance(current, exp.Case) and current.this is None:
            for branch in current.args["ifs"]:
                waiting.append((branch.this, known))
                waiting.append((branch.args["true"], known | _when_true(branch.this)))
                # The next branch is looked at only where this condition is false or NULL.
                known = known | _when_not_true(branch.this)
            default = current.args.get("default")
            if default is not None:
                waiting.append((default, known))
        elif isinstance(current, exp.If):
            waiting.append((current.this, known))
            waiting.append((current.args["true"], known | _when_true(current.this)))
            if current.args.get("false") is not None:
                waiting.append((current.args["false"], known | _when_not_true(current.this)))
        else:
            waiting.extend((child, known) for child in current.iter_expressions())


def is_guarded(division: exp.Binary, known: Divisors) -> bool:
    """Whether the divisor of a division or modulo is one of those known not to be zero."""
    return text_of(unwrapped(division.expression)) in known


def _when_true(condition: exp.Expr) -> Divisors:
    return frozenset(text for part in conjuncts(condition) if (text := _not_zero(part, when=True)) is not None)


def _when_not_true(condition: exp.Expr) -> Divisors:
    # An OR that is not true has no term that is true.
    parts = terms(condition, exp.Or)
    return frozenset(text for part in parts if (text := _not_zero(part, when=False)) is not None)


def _not_zero(part: exp.Expr, *, when: bool) -> str | None:
    """The text of x where `part`, a comparison of x with a number, being true (or not true) means that x is not 0."""
    bare = unwrapped(part)
    while isinstance(bare, exp.Not):
        bare, when = unwrapped(bare.this), not when
        if when:
            # NOT c is not true also where c is NULL, so it says nothing of c being true.
            return None
    if not isinstance(bare, (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)):
        return None
    kind: type[exp.Binary] = type(bare)
    subject, value = unwrapped(bare.this), _number(bare.expression)
    if value is None:
        kind, subject, value = _FLIPPED[kind], unwrapped(bare.expression), _number(bare.this)
    if value is None:
        return None
    zero_passes = {
        exp.EQ: value == 0,
        exp.NEQ: value != 0,
        exp.GT: value < 0,
        exp.GTE: value <= 0,
        exp.LT: value > 0,
        exp.LTE: value >= 0,
    }[kind]
    return text_of(subject) if zero_passes is not when else None


_FLIPPED: dict[type[exp.Binary], type[exp.Binary]] = {
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}


def _number(node: exp.Expr) -> float | None:
    bare = unwrapped(node)
    sign = 1.0
    if isinstance(bare, exp.Neg):
        bare, sign = unwrapped(bare.this), -1.0
    if not isinstance(bare, exp.Literal) or bare.is_string:
        return None
    try:
        return sign * float(str(bare.this))
    except ValueError:
        return None
