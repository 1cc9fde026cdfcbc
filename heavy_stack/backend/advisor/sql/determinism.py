"""What makes a query's own result vary: chance, the clock, or ties that the query leaves open.

Only chance makes a query NONDETERMINISTIC. A result that depends on the clock is the same for original and rewrite run
at the same time; one that depends on ties varies only where rows tie, which the comparison can allow for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlglot import exp


class Kind(StrEnum):
    """Why a result may vary."""

    RANDOM = "random"
    TIME = "time"
    TIES = "ties"


@dataclass(frozen=True)
class Finding:
    """One cause: its kind and, in words, the construct."""

    kind: Kind
    what: str


def nondeterminism(tree: exp.Expr) -> str | None:
    """The construct that makes the result random, in words; None when nothing does."""
    return _first(tree, Kind.RANDOM)


def time_dependence(tree: exp.Expr) -> str | None:
    """The construct by which the result depends on when it runs; None when nothing does."""
    return _first(tree, Kind.TIME)


def ties(tree: exp.Expr) -> str | None:
    """The construct whose result depends on the order of rows that the query leaves tied; None when nothing does."""
    return _first(tree, Kind.TIES)


def _first(tree: exp.Expr, kind: Kind) -> str | None:
    return next((finding.what for finding in findings(tree) if finding.kind == kind), None)


_CHANCE = {exp.Rand: "random()", exp.Uuid: "uuid()", exp.TableSample: "TABLESAMPLE"}
_CLOCK = {
    exp.CurrentDate: "current_date",
    exp.CurrentTime: "current_time",
    exp.CurrentTimestamp: "current_timestamp",
    exp.Localtime: "localtime",
    exp.Localtimestamp: "localtimestamp",
}
_CHANCE_BY_NAME = frozenset({"shuffle", "rand", "approx_most_frequent", "numeric_histogram", "random"})
_SKETCHES = (exp.ApproxQuantile,)
_COLLECTED = (exp.ArrayAgg, exp.GroupConcat)
_COLLECTED_BY_NAME = frozenset({"map_agg", "multimap_agg", "map_union", "listagg"})
_ANY = (exp.AnyValue, exp.ArgMax, exp.ArgMin)
_BY_POSITION = (exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)


def findings(tree: exp.Expr) -> list[Finding]:
    """All causes in a parsed or resolved tree. A random() that only sorts the final rows is none: same rows."""
    return list(_findings(tree))


def _findings(tree: exp.Expr) -> Iterator[Finding]:
    for node in tree.walk():
        kind = type(node)
        if kind in _CHANCE:
            if not _only_sorts_the_result(node, tree):
                yield Finding(Kind.RANDOM, _CHANCE[kind])
        elif kind in _CLOCK:
            yield Finding(Kind.TIME, _CLOCK[kind])
        elif isinstance(node, exp.Shuffle):
            yield Finding(Kind.RANDOM, "shuffle()")
        elif isinstance(node, exp.Anonymous):
            name = str(node.this).lower()
            if name in _CHANCE_BY_NAME:
                yield Finding(Kind.RANDOM, f"{name}()")
            elif name in _COLLECTED_BY_NAME:
                yield Finding(Kind.RANDOM, f"{name} without an order")
        elif isinstance(node, _SKETCHES):
            yield Finding(Kind.RANDOM, "approx_percentile, which depends on the order of its input")
        elif isinstance(node, _COLLECTED):
            if not isinstance(node.this, exp.Order):
                yield Finding(Kind.RANDOM, "array_agg without ORDER BY" if kind is exp.ArrayAgg else "listagg")
        elif isinstance(node, _ANY):
            yield Finding(Kind.TIES, f"{_TIED_NAMES[kind]}, where several rows qualify")
        elif isinstance(node, exp.Window):
            yield from _of_window(node)
        elif isinstance(node, (exp.Select, exp.SetOperation, exp.Subquery)):
            yield from _of_limit(node, outermost=node is tree)


_TIED_NAMES: dict[type[exp.Expr], str] = {exp.AnyValue: "any_value", exp.ArgMax: "max_by", exp.ArgMin: "min_by"}


def _only_sorts_the_result(node: exp.Expr, tree: exp.Expr) -> bool:
    order = node.find_ancestor(exp.Order, exp.Query)
    return (
        isinstance(order, exp.Order)
        and order.parent is tree
        and tree.args.get("limit") is None
        and tree.args.get("offset") is None
    )


def _of_window(window: exp.Window) -> Iterator[Finding]:
    function = window.this
    while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        function = function.this
    order = window.args.get("order")
    alias = window.args.get("alias")
    if isinstance(function, _BY_POSITION):
        name = function.sql(dialect="trino").split("(", 1)[0].lower()
        if order is None and alias is None:
            yield Finding(Kind.RANDOM, f"{name}() over rows in no order")
        elif order is None or not _order_is_unique(window, order):
            yield Finding(Kind.TIES, f"{name}() where rows tie in its order")
    elif order is not None and _counts_rows(window) and not _order_is_unique(window, order):
        yield Finding(Kind.TIES, "a ROWS frame where rows tie in its order")


def _counts_rows(window: exp.Window) -> bool:
    spec = window.args.get("spec")
    if spec is None or (spec.args.get("kind") or "").upper() != "ROWS":
        return False
    whole = ("UNBOUNDED", "UNBOUNDED")
    return (str(spec.args.get("start")).upper(), str(spec.args.get("end")).upper()) != whole


def _order_is_unique(window: exp.Window, order: exp.Order) -> bool:
    """Whether partition and order keys hold all of the SELECT's group keys, so that no two of its rows tie."""
    select = window.find_ancestor(exp.Select)
    group = select.args.get("group") if select is not None else None
    if not isinstance(group, exp.Group) or not group.expressions:
        return False
    if any(group.args.get(part) for part in ("grouping_sets", "cube", "rollup", "all")):
        return False
    keys = {*window.args.get("partition_by", []), *(item.this for item in order.expressions)}
    return all(key in keys for key in group.expressions)


def _of_limit(query: exp.Expr, *, outermost: bool) -> Iterator[Finding]:
    limit, offset, order = (query.args.get(name) for name in ("limit", "offset", "order"))
    if limit is None and offset is None:
        return
    if isinstance(limit, exp.Limit) and isinstance(limit.expression, exp.Var):
        limit = None  # LIMIT ALL
        if offset is None:
            return
    if _one_row(query) or isinstance(query.parent, exp.Exists):
        return
    if order is None:
        # At the end of the query any rows will do: a rewrite is equal when the rows before LIMIT are.
        kind = Kind.TIES if outermost else Kind.RANDOM
        yield Finding(kind, "LIMIT without ORDER BY" if limit is not None else "OFFSET without ORDER BY")
    elif not (isinstance(limit, exp.Fetch) and "TIES" in limit.sql(dialect="trino").upper()):
        yield Finding(Kind.TIES, "LIMIT where rows tie at the cut")


def _one_row(query: exp.Expr) -> bool:
    return (
        isinstance(query, exp.Select)
        and query.args.get("group") is None
        and any(item.find(exp.AggFunc) is not None and item.find(exp.Window) is None for item in query.expressions)
    )
