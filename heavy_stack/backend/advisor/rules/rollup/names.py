"""Short names for stored columns and tables, made from what they hold."""

from __future__ import annotations

import string
from collections.abc import Iterable

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.measures import Measure
from heavy_stack.backend.advisor.rules.rollup.number_grains import step_in

MAX_COLUMN = 48
MAX_TABLE = 60
_LETTERS = frozenset(string.ascii_lowercase + string.digits)
_WORDS: dict[type[exp.Expr], str] = {
    exp.EQ: "is",
    exp.NEQ: "not",
    exp.GT: "over",
    exp.GTE: "from",
    exp.LT: "below",
    exp.LTE: "to",
    exp.Not: "not",
    exp.Add: "plus",
    exp.Sub: "minus",
    exp.Mul: "times",
    exp.Div: "per",
    exp.In: "in",
    exp.Between: "between",
    exp.Like: "like",
    exp.RegexpLike: "matches",
    exp.TimestampTrunc: "",
    exp.TimeToStr: "formatted",
    exp.Case: "case",
}


class NameMaker:
    """Gives each name once: a second use gets a number."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def fresh(self, wanted: str, limit: int = MAX_COLUMN) -> str:
        """`wanted`, cut to `limit` characters, numbered where it is taken."""
        base = wanted[:limit].rstrip("_") or "c"
        if not base[0].isalpha():
            base = f"c_{base}"[:limit]
        name, number = base, 1
        while name in self._taken:
            number += 1
            suffix = f"_{number}"
            name = base[: limit - len(suffix)].rstrip("_") + suffix
        self._taken.add(name)
        return name


def slug(text: str) -> str:
    """Lower-case letters and digits of a text, with single underscores between."""
    kept = "".join(letter if letter in _LETTERS else "_" for letter in text.lower())
    return "_".join(part for part in kept.split("_") if part)


def name_of_expression(node: exp.Expr, single: bool) -> str:
    """A name for a dimension: its column's own name where it is one, else the words of the expression."""
    if isinstance(node, exp.Column):
        return slug(node.name) if single else slug(f"{node.table}_{node.name}")
    step = step_in(node)
    if step is not None:
        return slug(f"{name_of_expression(step[0], single)}_by_{step[1]}")
    return slug("_".join(_words(node)))


def name_of_measure(measure: Measure, single: bool) -> str:
    """`row_count`, `sum_amount`, `count_if_…`."""
    function = measure.function.lower()
    if measure.argument is None:
        name = "row_count"
    else:
        name = f"{function}_{name_of_expression(measure.argument, single)}"
    conditions = [slug("_".join(_words(test.node))) for test in measure.conditions]
    if not conditions:
        return name
    return slug(f"{name[:24]}_if_{'_and_'.join(conditions)}")


def name_of_table(sources: Iterable[str], dimensions: Iterable[str]) -> str:
    """`orders_by_region_month`; a table of one row is `orders_total`."""
    source = "_".join(slug(name) for name in sources)[:30].rstrip("_")
    keys = "_".join(dimensions)
    return f"{source}_by_{keys}" if keys else f"{source}_total"


def _words(node: exp.Expr) -> Iterable[str]:
    if isinstance(node, exp.Column):
        yield node.name
        return
    if isinstance(node, exp.Literal):
        yield str(node.this)[:12]
        return
    if isinstance(node, (exp.Null, exp.Boolean, exp.DataType, exp.Identifier)):
        yield node.sql(dialect="trino")
        return
    if isinstance(node, exp.Var):
        yield node.name
        return
    if isinstance(node, exp.Is):
        yield from (*_words(node.this), "null")
        return
    if isinstance(node, exp.Anonymous):
        yield str(node.this)
    elif isinstance(node, exp.Binary):
        yield from (*_words(node.this), _WORDS.get(type(node), ""), *_words(node.expression))
        return
    elif type(node) in _WORDS:
        yield _WORDS[type(node)]
    elif isinstance(node, exp.Func) and not isinstance(node, (exp.Cast, exp.If)):
        yield node.key
    for child in node.iter_expressions():
        if not isinstance(child, exp.DataType):
            yield from _words(child)
