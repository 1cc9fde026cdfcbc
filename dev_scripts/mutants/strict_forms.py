"""Rewritings below operators that are NULL as soon as one side is, and of conditions that others ask as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from dev_scripts.mutants.null_facts import STRICT, Known, conditions, never_null, owner_of, sources, strict_parts, terms
from dev_scripts.mutants.value_forms import decides
from heavy_stack.backend.advisor.sql.types import type_name
from heavy_stack.backend.advisor.verify.column_types import is_number, read_type
from heavy_stack.backend.advisor.verify.constraints import Constraint
from heavy_stack.backend.advisor.verify.literals import constant

_COMPARED = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ)
_NULL_OVER_NOTHING = (exp.Sum, exp.Avg, exp.Min, exp.Max)
_WHOLE = ("bigint", "integer", "smallint", "tinyint")


def else_beside_null(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`(x - CASE WHEN c THEN a ELSE 0 END) / CASE WHEN c THEN b END` is NULL where c does not hold."""
    test = _only_test(node)
    if test is None or not _has_default(node):
        return None
    if not any(_only_test(other) == test and not _has_default(other) for other in _partners(node)):
        return None
    node.set("default", None)
    return node


def else_of_a_sum(node: exp.Expr, known: Known) -> exp.Expr | None:
    """SUM(CASE WHEN c THEN x ELSE 0 END), where the whole is NULL, or not there, unless a row satisfies c."""
    inner = node.this if isinstance(node, exp.Sum) else None
    test = _only_test(inner)
    if not isinstance(inner, exp.Case) or test is None or inner.args.get("default") != exp.Literal.number(0):
        return None
    if isinstance(node.parent, (exp.Window, exp.Filter)) or not never_null(inner.args["ifs"][0].args["true"], known):
        return None
    if not any(_needs_row(other, test) for other in _partners(node)) and not _group_has_row(node, test):
        return None
    inner.set("default", None)
    return node


def default_of_nothing(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`SUM(x) / COALESCE(SUM(n), 0)` with n never NULL: where there is no row, the whole is NULL anyway."""
    call = node.this if isinstance(node, exp.Coalesce) else None
    if type(call) not in _NULL_OVER_NOTHING or not isinstance(call, exp.AggFunc) or not never_null(call.this, known):
        return None
    return call if any(type(other) in _NULL_OVER_NOTHING for other in _partners(node)) else None


def _only_test(node: object) -> exp.Expr | None:
    """The condition of a CASE with one branch."""
    branches = node.args.get("ifs") or [] if isinstance(node, exp.Case) and node.this is None else []
    return branches[0].this if len(branches) == 1 else None


def _has_default(node: exp.Expr) -> bool:
    default = node.args.get("default")
    return default is not None and not isinstance(default, exp.Null)


def _needs_row(node: exp.Expr, test: exp.Expr) -> bool:
    """Whether NULLIF(SUM(CASE WHEN c …), 0), or SUM(CASE WHEN c … END), is NULL where no row satisfies c."""
    if isinstance(node, exp.Sum):
        return _only_test(node.this) == test and not _has_default(node.this)
    return isinstance(node, exp.Nullif) and node.expression.sql() == "0" and _adds_up(node.this, test)


def _adds_up(node: exp.Expr, test: exp.Expr) -> bool:
    """Whether a node is 0 or NULL where no row satisfies a condition."""
    call = node.unnest()
    inner = call.this if isinstance(call, exp.Sum) else None
    default = inner.args.get("default") if isinstance(inner, exp.Case) else None
    return _only_test(inner) == test and (default is None or default.sql() in ("0", "NULL"))


def _group_has_row(node: exp.Expr, test: exp.Expr) -> bool:
    select = node.find_ancestor(exp.Select)
    having = select.args.get("having") if select is not None else None
    for term in terms(having.this if having is not None else None):
        bound: Any = constant(term.expression) if isinstance(term, exp.GT) else None
        asks = isinstance(term.this, exp.Expr) and is_number(bound) and bound >= 0 and _adds_up(term.this, test)
        if asks and node.find_ancestor(exp.Having) is None:
            return True
    return False


def _partners(node: exp.Expr) -> Iterator[exp.Expr]:
    """What else makes the largest strict expression around a node NULL when it is NULL."""
    top = node
    while isinstance(top.parent, STRICT) or (isinstance(top.parent, exp.Nullif) and top.parent.this is top):
        top = top.parent
    return (part for part in strict_parts(top) if part is not node)


def round_of_few_places(node: exp.Expr, known: Known) -> exp.Expr | None:
    """ROUND to as many places as a decimal has, or more; of a whole number to any."""
    places = node.args.get("decimals") if isinstance(node, exp.Round) else None
    wanted, kind = constant(places), type_name(node.this) if places is not None else None
    if not isinstance(wanted, int) or wanted < 0 or kind is None:
        return None
    if kind in _WHOLE:
        node.set("decimals", None)
        return node
    scale = read_type(kind).scale
    if not kind.startswith("decimal") or wanted <= scale:
        return None
    node.set("decimals", exp.Literal.number(scale))
    return node


def test_of_a_guard(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`CASE WHEN c THEN x END > 1` in a condition asks for c, and for x > 1."""
    if type(node) not in _COMPARED or not decides(node):
        return None
    guarded = node.this.unnest()
    test = _only_test(guarded)
    if test is None or _has_default(guarded):
        return None
    compared = type(node)(this=exp.paren(guarded.args["ifs"][0].args["true"].copy()), expression=node.expression.copy())
    return exp.paren(exp.And(this=exp.paren(test.copy()), expression=compared))


def implied_bound(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`x >= 0` beside `x > 0`."""
    mine = _bound(node)
    if mine is None or not isinstance(node.parent, (exp.And, exp.Paren)) or not decides(node):
        return None
    around = node.parent
    while isinstance(around.parent, (exp.And, exp.Paren)):
        around = around.parent
    others = (_bound(term.unnest()) for term in terms(around) if term.unnest() is not node)
    return exp.true() if any(other is not None and _implies(other, mine) for other in others) else None


def bound_that_rows_pass(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`x >= 0` in a CASE or FILTER of a SELECT whose rows all have x > 0."""
    mine, select = _bound(node), node.find_ancestor(exp.Select)
    if mine is None or select is None or not decides(node) or node.find_ancestor(exp.Join, exp.Select) is not select:
        return None
    where = node.find_ancestor(exp.Where)
    if where is select.args.get("where") or node.find_ancestor(exp.AggFunc, exp.Having, exp.Select) is not select:
        return None
    found = (_bound(term.unnest()) for term in conditions(select))
    return (
        exp.true() if any(other is not None and (other == mine or _implies(other, mine)) for other in found) else None
    )


def arm_of_all_rows(node: exp.Expr, known: Known) -> exp.Expr | None:
    """CASE WHEN TRUE THEN x … END."""
    branches = node.args.get("ifs") or [] if isinstance(node, exp.Case) and node.this is None else []
    first = branches[0] if branches else None
    if first is None or not isinstance(first.this.unnest(), exp.Boolean) or not first.this.unnest().this:
        return None
    value = first.args["true"]
    return value if isinstance(value, exp.Expr) else None


def _bound(node: exp.Expr) -> tuple[str, str, object] | None:
    signs: dict[type[exp.Expr], str] = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
    value = constant(node.expression) if type(node) in signs else None
    return (node.this.unnest().sql(), signs[type(node)], value) if is_number(value) else None


def _implies(other: tuple[str, str, object], mine: tuple[str, str, object]) -> bool:
    """Whether one bound asks for more than another; not where both are the same."""
    if other[0] != mine[0] or other[1][0] != mine[1][0]:
        return False
    apart = other[2] - mine[2] if mine[1][0] == ">" else mine[2] - other[2]  # type: ignore[operator]
    return bool(apart > 0 or (apart == 0 and len(other[1]) < len(mine[1])))


def nullif_of_another(node: exp.Expr, known: Known) -> exp.Expr | None:
    """NULLIF(x, 0) where x > 0: below that condition of a WHERE, a FILTER or a CASE."""
    value = constant(node.expression) if isinstance(node, exp.Nullif) else None
    if not is_number(value) or not isinstance(node.this, exp.Expr):
        return None
    for term in _asked_around(node):
        bound = _bound(term)
        apart = bound is not None and bound[0] == node.this.unnest().sql()
        if apart and bound is not None and not Constraint("compare", bound[1], bound[2]).holds(value):
            return node.this
    return None


def _asked_around(node: exp.Expr) -> Iterator[exp.Expr]:
    """Conditions that hold wherever a value is read.

    Of a FILTER only where nothing fails: its argument may be computed for all rows.
    """
    select, inner, around, fails = node.find_ancestor(exp.Select), node, node.parent, False
    while around is not None and around is not select:
        if isinstance(around, exp.Div):
            fails = fails or not (type_name(around) or "").startswith(("double", "real"))
        if isinstance(around, exp.If) and inner.arg_key == "true" and getattr(around.parent, "this", None) is None:
            yield from terms(around.this)
        if isinstance(around, exp.Filter) and inner.arg_key == "this" and not fails:
            yield from terms(around.expression.this)
        inner, around = around, around.parent
    in_where = isinstance(inner, (exp.Where, exp.Join))
    if select is not None and not in_where and not (isinstance(node.this, exp.Expr) and node.this.find(exp.AggFunc)):
        yield from conditions(select)


def any_above_zero(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`MAX(n) > 0` and `SUM(n) > 0` where no n is below zero."""
    if not isinstance(node, exp.GT) or node.expression.sql() not in ("0", "0E0"):
        return None
    call = node.this.unnest()
    if not isinstance(call, exp.Max) or not isinstance(call.this, exp.Expr) or not not_negative(call.this, known):
        return None
    call.replace(exp.Sum(this=call.this.copy()))
    return node


def not_negative(node: exp.Expr, known: Known) -> bool:
    """Whether a number is never below zero: a count, or made of such."""
    node = node.unnest()
    value = constant(node)
    if value is not None:
        return is_number(value) and value >= 0
    if isinstance(node, (exp.Count, exp.CountIf)):
        return True
    if isinstance(node, (exp.Sum, exp.Min, exp.Max, exp.Cast, exp.Filter)):
        return not_negative(node.this, known)
    if isinstance(node, exp.Coalesce):
        return all(not_negative(part, known) for part in (node.this, *node.expressions))
    if isinstance(node, exp.Case):
        ends = [branch.args["true"] for branch in node.args.get("ifs") or ()]
        ends += [node.args["default"]] if _has_default(node) else []
        return all(isinstance(end, exp.Null) or not_negative(end, known) for end in ends)
    if isinstance(node, exp.Column):
        select = owner_of(node)
        query = known.query_behind(sources(select)[node.table.lower()]) if select is not None else None
        items = query.selects if isinstance(query, exp.Select) else []
        found = [item.unalias() for item in items if item.alias_or_name.lower() == node.name.lower()]
        return len(found) == 1 and not_negative(found[0], known)
    return False
