"""Rewritings of a typed tree that keep its result for every database: two trees that become one are equivalent.

Each has a name, which is the argument that the report gives for an equivalent mutant.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dev_scripts.mutants.bounds import month_bound
from dev_scripts.mutants.disjoint import disjoint
from dev_scripts.mutants.duplicates import (
    branches_apart,
    duplicates_nobody_counts,
    rank_of_a_key,
    union_inside,
    without_ties,
)
from dev_scripts.mutants.group_forms import constant_key, distinct_values, holds_months, joined_key, key_order, one_row
from dev_scripts.mutants.null_facts import (
    Known,
    conditions,
    key_of,
    never_null,
    refused,
    terms,
)
from dev_scripts.mutants.readers import null_rows_of_select_vanish, shown
from dev_scripts.mutants.strict_forms import (
    any_above_zero,
    arm_of_all_rows,
    bound_that_rows_pass,
    default_of_nothing,
    else_beside_null,
    else_of_a_sum,
    implied_bound,
    nullif_of_another,
    round_of_few_places,
    test_of_a_guard,
)
from dev_scripts.mutants.value_forms import (
    decides,
    default_that_fails,
    equal_columns,
    positive_count,
    test_made_around,
)
from heavy_stack.backend.advisor.sql.types import type_name

_NUMERIC = ("decimal", "bigint", "integer", "smallint", "tinyint", "real", "double")
Change = Callable[[exp.Expr, Known], exp.Expr | None]
"""What may stand in a node's place; None where the rewriting does not apply. May change the node and return it."""
_ONE_VALUE = (exp.Min, exp.Max, exp.Sum, exp.Avg, exp.AnyValue)
_WHOLE = ("TINYINT", "SMALLINT", "INT", "BIGINT")


def _default_of_a_value(node: exp.Expr, known: Known) -> exp.Expr | None:
    if isinstance(node, exp.Coalesce) and never_null(node.this, known):
        return _part(node.this)
    return None


def _part(node: object) -> exp.Expr | None:
    return node if isinstance(node, exp.Expr) else None


def _count_of_values(node: exp.Expr, known: Known) -> exp.Expr | None:
    if not isinstance(node, exp.Count) or isinstance(node.this, (exp.Star, exp.Distinct)) or node.expressions:
        return None
    if (
        isinstance(node.this, exp.Cast)
        and node.this.is_type("double")
        and (type_name(node.this.this) or "").startswith(_NUMERIC)
    ):
        return exp.Count(this=node.this.this, big_int=True)  # a number becomes a double whatever it is
    return exp.Count(this=exp.Star(), big_int=True) if never_null(node.this, known) else None


def _average_of_values(node: exp.Expr, known: Known) -> exp.Expr | None:
    """CAST(SUM(x) AS DOUBLE) / COUNT(*) of a whole x that is never NULL."""
    if not isinstance(node, exp.Div) or not isinstance(node.expression, exp.Count):
        return None
    over = node.this.this if isinstance(node.this, exp.Cast) and node.this.is_type("double") else None
    if not isinstance(over, exp.Sum) or not isinstance(node.expression.this, exp.Star):
        return None
    if type_name(over.this) not in ("bigint", "integer", "smallint", "tinyint", "double"):
        return None
    return exp.Avg(this=over.this) if never_null(over.this, known) else None


def _test_of_a_value(node: exp.Expr, known: Known) -> exp.Expr | None:
    if not isinstance(node, exp.Not) or not isinstance(node.this, exp.Is):
        return None
    if not isinstance(node.this.expression, exp.Null):
        return None
    around = node.parent
    while isinstance(around, exp.And):
        others = [term for term in terms(around) if term is not node]
        if any(node.this.this.sql() in refused(term) for term in others):
            return exp.true()
        around = around.parent
    return exp.true() if never_null(node.this.this, known, node) else None


def _true_term(node: exp.Expr, known: Known) -> exp.Expr | None:
    if isinstance(node, exp.And):
        for side, other in ((node.this, node.expression), (node.expression, node.this)):
            if isinstance(side, exp.Boolean) and side.this:
                return _part(other)
    if isinstance(node, exp.Having) and node.parent is not None and not node.parent.args.get("group"):
        return None  # without it the query would not aggregate, or the same
    if isinstance(node, (exp.Where, exp.Having)) and isinstance(node.this, exp.Boolean) and node.this.this:
        return exp.Placeholder()  # taken out below
    return None


def _equality_of_values(node: exp.Expr, known: Known) -> exp.Expr | None:
    if not isinstance(node, exp.NullSafeEQ) or not decides(node):
        return None
    select = node.find_ancestor(exp.Select)
    sides = (node.this, node.expression)
    sure = any(never_null(side, known, node) for side in sides)
    if not sure and select is not None and not any(join.side for join in select.args.get("joins") or ()):
        pairs = [(side, name) for side in sides for name in shown(select, side)]
        joined = node.find_ancestor(exp.Join, exp.Where, exp.Select)
        sure = joined is not select and any(null_rows_of_select_vanish(select, *pair) for pair in pairs)
    return exp.EQ(this=node.this, expression=node.expression) if sure else None


def _refused_outer_rows(node: exp.Expr, known: Known) -> exp.Expr | None:
    """LEFT JOIN whose rows without partner a later condition refuses."""
    select = node.parent
    if not isinstance(node, exp.Join) or (node.side or "").upper() != "LEFT" or not isinstance(select, exp.Select):
        return None
    alias = node.this.alias_or_name.lower()
    found = {name for term in conditions(select) for name in refused(term)}
    if not any(str(exp.to_column(name).args["table"].name).lower() == alias for name in found):
        items = [(item.unalias(), item.alias_or_name) for item in select.selects]
        mine = [(item, name) for item, name in items if isinstance(item, exp.Column) and item.table.lower() == alias]
        if not any(null_rows_of_select_vanish(select, *each) for each in mine):
            return None
    node.set("side", None)
    node.set("kind", None)
    return node


def _branch_order(node: exp.Expr, known: Known) -> exp.Expr | None:
    """Branches of a CASE of which at most one can hold."""
    branches = node.args.get("ifs") or [] if isinstance(node, exp.Case) else []
    if not isinstance(node, exp.Case) or len(branches) < 2 or len(branches) > 40:
        return None
    ordered = sorted(branches, key=lambda branch: str(branch.sql()))
    if [id(branch) for branch in ordered] == [id(branch) for branch in branches]:
        return None
    texts = [branch.this for branch in branches]
    if node.this is not None:
        apart = all(isinstance(text, exp.Literal) for text in texts) and len({text.sql() for text in texts}) == len(
            texts
        )
    else:
        apart = all(disjoint(left, right) for place, left in enumerate(texts) for right in texts[:place])
    if not apart:
        return None
    node.set("ifs", [branch.copy() for branch in ordered])
    return node


def _distinct_rows(node: exp.Expr, known: Known) -> exp.Expr | None:
    """SELECT DISTINCT where rows are distinct anyway, or where nobody counts them."""
    if not isinstance(node, exp.Select) or node.args.get("distinct") is None or node.args.get("limit") is not None:
        return None
    distinct = node.args["distinct"]
    if distinct.args.get("on") is not None:
        return None
    holder = node.parent.parent if isinstance(node.parent, exp.Subquery) else node.parent
    asked = isinstance(holder, (exp.In, exp.Exists))
    asked = asked or (isinstance(holder, exp.SetOperation) and bool(holder.args.get("distinct")))
    node.set("distinct", None)
    if asked or key_of(node, known) is not None:
        return node
    node.set("distinct", distinct)
    return None


def _nothing_of_nothing(node: exp.Expr, known: Known) -> exp.Expr | None:
    """HAVING COUNT(*) > 0 in a scalar subquery whose aggregates are NULL over no rows."""
    if not isinstance(node, exp.Select) or node.args.get("group") is not None or node.args.get("having") is None:
        return None
    scalar = isinstance(node.parent, exp.Subquery) and not isinstance(node.parent.parent, (exp.From, exp.Join, exp.In))
    calls = list(node.selects[0].find_all(exp.AggFunc)) if len(node.selects) == 1 else []
    if not scalar or not calls or any(isinstance(call, (exp.Count, exp.CountIf)) for call in calls):
        return None
    if any(node.selects[0].find_all(exp.Coalesce, exp.Case, exp.If)):
        return None
    if node.args["having"].this.sql() != "COUNT(*) > 0":
        return None
    node.set("having", None)
    return node


def _frame_of_a_key(node: exp.Expr, known: Known) -> exp.Expr | None:
    """Frames up to the current row by rows and by values, where no two rows tie."""
    if not isinstance(node, exp.Window) or not without_ties(node, known):
        return None
    spec = node.args.get("spec")
    running = spec is not None and (spec.args.get("start"), spec.args.get("end")) == ("UNBOUNDED", "CURRENT ROW")
    if not running:
        return None
    node.set("spec", None)
    return node


def _null_order(node: exp.Expr, known: Known) -> exp.Expr | None:
    if not isinstance(node, exp.Ordered) or not node.args.get("nulls_first"):
        return None
    select = node.find_ancestor(exp.Select)
    items = {item.alias_or_name.lower(): item.unalias() for item in select.selects} if select is not None else {}
    named = isinstance(node.this, exp.Column) and not node.this.table
    value = items.get(node.this.name.lower(), node.this) if named else node.this
    if never_null(value, known):
        node.set("nulls_first", False)
        return node
    return None


def _order_of_rows(node: exp.Expr, known: Known) -> exp.Expr | None:
    """ORDER BY in a derived table or CTE without LIMIT: its rows have no order."""
    if not isinstance(node, exp.Order) or not isinstance(node.parent, exp.Query):
        return None
    cut = any(node.parent.args.get(name) is not None for name in ("limit", "offset", "fetch"))
    inside = isinstance(node.parent.parent, (exp.CTE, exp.Subquery))
    around = node.parent.parent
    cut = cut or (isinstance(around, exp.Subquery) and any(around.args.get(name) for name in ("limit", "offset")))
    return exp.Placeholder() if inside and not cut else None


def _whole_cast(node: exp.Expr, known: Known) -> exp.Expr | None:
    """A whole number that is made a double and whole again."""
    if not isinstance(node, exp.Avg):
        return None
    inner = node.this
    seen = False
    while isinstance(inner, (exp.Cast, exp.Paren)):
        seen = True
        inner = inner.this
    casts = isinstance(inner, exp.DateDiff) or (inner.type is not None and inner.type.sql() in _WHOLE)
    if not seen or not casts or isinstance(node.this, type(inner)):
        return None
    return exp.Avg(this=inner)


def _bound_of_months(node: exp.Expr, known: Known) -> exp.Expr | None:
    if not isinstance(node, (exp.GTE, exp.GT, exp.LTE, exp.LT, exp.Between)):
        return None
    column = node.this
    if not isinstance(column, exp.Column) or not holds_months(column, known):
        return None
    if isinstance(node, exp.Between):
        low = exp.GTE(this=column.copy(), expression=node.args["low"])
        return exp.And(this=low, expression=exp.LTE(this=column.copy(), expression=node.args["high"]))
    return month_bound(node)


def _sides(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`a = b` and `b = a`; the order of AND, of OR and of an IN list."""
    if isinstance(node, exp.EQ) and str(node.this.sql()) > str(node.expression.sql()):
        return exp.EQ(this=node.expression, expression=node.this)
    if isinstance(node, (exp.And, exp.Or)) and not isinstance(node.parent, type(node)):
        parts = {part.sql(): part for part in (term.unnest() for term in node.flatten())}
        texts = sorted(parts)
        made = parts[texts[0]].copy()
        for text in texts[1:]:
            made = type(node)(this=made, expression=parts[text].copy())
        return made if made != node else None
    return None


def _parenthesis(node: exp.Expr, known: Known) -> exp.Expr | None:
    return _part(node.this) if isinstance(node, exp.Paren) else None


def _unread_output(node: exp.Expr, known: Known) -> exp.Expr | None:
    """A column of a CTE or derived table that the query around it does not read."""
    if not isinstance(node, exp.Select) or node.args.get("distinct") is not None or node.args.get("order") is not None:
        return None
    holder, root = node.parent, node.root()
    starred = any(not isinstance(star.parent, exp.Count) for star in root.find_all(exp.Star))
    if starred or any(isinstance(key, exp.Literal) for key in (node.args.get("group") or exp.Group()).expressions):
        return None
    if isinstance(holder, exp.CTE):
        aliases = {
            table.alias_or_name.lower()
            for table in root.find_all(exp.Table)
            if not table.db and table.name.lower() == holder.alias.lower()
        }
    elif isinstance(holder, exp.Subquery) and isinstance(holder.parent, (exp.From, exp.Join)):
        aliases = {holder.alias.lower()}
    else:
        return None
    read = {column.name.lower() for column in root.find_all(exp.Column) if column.table.lower() in aliases}
    kept = [item for item in node.selects if item.alias_or_name.lower() in read]
    if not kept or len(kept) == len(node.selects):
        return None
    node.set("expressions", kept)
    return node


CHANGES: dict[str, Change] = {
    "parentheses": _parenthesis,
    "sides and order": _sides,
    "a default for what is never NULL": _default_of_a_value,
    "a count of what is never NULL": _count_of_values,
    "an average of what is never NULL": _average_of_values,
    "a test of what is never NULL": _test_of_a_value,
    "TRUE in a conjunction": _true_term,
    "no NULLs to join": _equality_of_values,
    "rows without partner are refused later": _refused_outer_rows,
    "branches that exclude each other": _branch_order,
    "rows that are distinct anyway": _distinct_rows,
    "NULL over no rows": _nothing_of_nothing,
    "a group key with one value": constant_key,
    "a group key that another one decides": joined_key,
    "order of group keys": key_order,
    "an aggregate over one row": one_row,
    "values that are distinct anyway": distinct_values,
    "a running frame without ties": _frame_of_a_key,
    "NULLs in order where there are none": _null_order,
    "order of rows that have none": _order_of_rows,
    "whole numbers": _whole_cast,
    "bounds of months": _bound_of_months,
    "an output nobody reads": _unread_output,
    "ranks without ties": rank_of_a_key,
    "duplicates that nobody counts": duplicates_nobody_counts,
    "branches without equal rows": branches_apart,
    "duplicates that a UNION around takes out": union_inside,
    "a count of a group is positive": positive_count,
    "a default that fails the test": default_that_fails,
    "columns that are equal": equal_columns,
    "NULLs that the query around refuses": test_made_around,
    "a default where the whole is NULL": default_of_nothing,
    "an ELSE where the whole is NULL": else_beside_null,
    "an ELSE of a sum that has a row": else_of_a_sum,
    "ROUND where there are no more places": round_of_few_places,
    "a guard that the comparison asks for": test_of_a_guard,
    "a bound beside a closer one": implied_bound,
    "a bound that all rows pass": bound_that_rows_pass,
    "an arm of all rows": arm_of_all_rows,
    "NULLIF of a value that it is not": nullif_of_another,
    "some number above zero": any_above_zero,
}
ROUNDS = 6
"""One change may make room for another."""


def normal_form(tree: exp.Expr, known: Known, names: frozenset[str]) -> exp.Expr:
    """A copy of the tree with the named rewritings made wherever they apply."""
    found = tree.copy()
    for _ in range(ROUNDS):
        changed = False
        for name in CHANGES:
            if name in names:
                found, again = _everywhere(found, CHANGES[name], known)
                changed = changed or again
        if not changed:
            break
    return found


def _everywhere(tree: exp.Expr, change: Change, known: Known) -> tuple[exp.Expr, bool]:
    changed = False
    for node in reversed(list(tree.walk())):
        other = change(node, known)
        if other is None:
            continue
        changed = True
        if isinstance(other, exp.Placeholder):
            node.pop()
        elif other is not node:
            if node is tree:
                tree = other.copy()
            else:
                node.replace(other.copy())
    return tree, changed
