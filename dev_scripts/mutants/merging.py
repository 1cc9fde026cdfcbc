"""Whether a text comes to the same over a table with finer or coarser groups: it merges them all."""

from __future__ import annotations

import datetime as dt

from sqlglot import exp

from dev_scripts.mutants.null_facts import conditions, refused, sources, terms
from heavy_stack.backend.advisor.verify.literals import constant

_MERGED_BY: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.Sum: exp.Sum,
    exp.Count: exp.Sum,
    exp.CountIf: exp.Sum,
    exp.Min: exp.Min,
    exp.Max: exp.Max,
}
_COARSER: dict[str, tuple[str, ...]] = {"QUARTER": ("QUARTER", "YEAR"), "YEAR": ("YEAR",)}
"""By grain, the units whose edges are edges of it."""
_INSENSITIVE = (exp.Min, exp.Max)


def seen_by(place: exp.Table, right: exp.Select, wrong: exp.Select) -> bool:
    """Whether a text looks at the first days of months that a table is keyed by as at those of quarters, or years.

    Only through functions of the quarter or year, and bounds at their first days: then the coarser table does.
    """
    grains = [_grains(tree) for tree in (right, wrong)]
    changed = [name for name in grains[0] if grains[0][name] != grains[1].get(name)]
    if len(changed) != 1 or grains[1].get(changed[0]) not in _COARSER or grains[0][changed[0]] != "MONTH":
        return False
    name, unit = changed[0], grains[1][changed[0]]
    sides = [tree.copy() for tree in (right, wrong)]
    for tree in sides:
        tree.set("expressions", [item for item in tree.selects if item.alias_or_name.lower() != name])
    select = place.find_ancestor(exp.Select)
    alias = place.alias_or_name.lower()
    found = select.find_all(exp.Column) if select is not None else ()
    columns = [column for column in found if column.table.lower() == alias and column.name.lower() == name]
    return all(_by_unit(column, unit) for column in columns) and bool(columns) and merges(place, *sides)


def _grains(tree: exp.Select) -> dict[str, str]:
    calls = {item.alias_or_name.lower(): item.unalias() for item in tree.selects}
    return {
        name: call.text("unit").upper()
        for name, call in calls.items()
        if isinstance(call, (exp.DateTrunc, exp.TimestampTrunc))
    }


def _by_unit(column: exp.Column, unit: str) -> bool:
    around = column.parent
    if isinstance(around, (exp.DateTrunc, exp.TimestampTrunc)):
        return around.text("unit").upper() in _COARSER[unit]
    if isinstance(around, (exp.Year, exp.Quarter)):
        return isinstance(around, exp.Year) or unit == "QUARTER"
    if isinstance(around, exp.Extract):
        return str(around.name).upper() in _COARSER[unit]
    bounds = {exp.GTE: (0,), exp.LT: (0,)}
    if type(around) in bounds and around is not None and around.this is column:
        return _starts(constant(around.expression), unit)
    return isinstance(around, exp.Between) and around.this is column and _spans(around, unit)


def _starts(day: object, unit: str) -> bool:
    first = isinstance(day, dt.date) and day.day == 1 and day.month in ((1, 4, 7, 10) if unit == "QUARTER" else (1,))
    clock = isinstance(day, dt.datetime) and day.time() != dt.time(0)
    return first and not clock


def _spans(between: exp.Between, unit: str) -> bool:
    """From a first day to a day in the last month of a unit."""
    high = constant(between.args["high"])
    last = isinstance(high, dt.date) and high.month in ((3, 6, 9, 12) if unit == "QUARTER" else (12,))
    return last and _starts(constant(between.args["low"]), unit)


def merges(place: exp.Table, right: exp.Select, wrong: exp.Select) -> bool:
    """Whether the SELECT that reads a table adds its rows up, and the two versions differ in group keys only.

    A row of the coarser version then stands for several of the finer, with the same values in the columns that are
    read and aggregates that merge into the row's own. Joins and conditions on those columns take all of them or none.
    """
    select = place.find_ancestor(exp.Select)
    if select is None or any(tree.args.get("group") is None for tree in (right, wrong)):
        return False
    mine, other = right.copy(), wrong.copy()
    for tree in (mine, other):
        tree.set("group", None)
    if mine != other or any(tree.args.get("having") is not None for tree in (right, wrong)):
        return False
    alias = place.alias_or_name.lower()
    measures = {item.alias_or_name.lower(): item.unalias() for item in right.selects if any(item.find_all(exp.AggFunc))}
    calls = (call for item in select.selects for call in item.find_all(exp.AggFunc))
    if select.args.get("group") is None and all(isinstance(call.parent, exp.Window) for call in calls):
        return False
    if select.args.get("distinct") is not None or alias not in sources(select):
        return False
    for call in select.find_all(exp.AggFunc):
        if call.find_ancestor(exp.Select) is select and not _insensitive(call, alias, measures):
            return False
    kept = _tests_of_groups(select, alias, measures)
    for column in select.find_all(exp.Column):
        if column.table.lower() == alias and column.name.lower() in measures and id(column) not in kept:
            call_around = column.find_ancestor(exp.AggFunc)
            if call_around is None or column.find_ancestor(exp.Select) is not select:
                return False
            if type(call_around) is not _merging(measures[column.name.lower()]):
                return False
    return True


def _insensitive(call: exp.AggFunc, alias: str, measures: dict[str, exp.Expr]) -> bool:
    """Whether an aggregate does not see into how many rows a group is split."""
    if isinstance(call, _INSENSITIVE) or isinstance(call.this, exp.Distinct) or isinstance(call.parent, exp.Window):
        return True
    columns = {
        column.name.lower()
        for column in call.find_all(exp.Column)
        if column.table.lower() == alias and column.name.lower() in measures
    }
    return isinstance(call, exp.Sum) and len(columns) >= 1 and _linear(call.this, alias, measures)


def _linear(node: exp.Expr, alias: str, measures: dict[str, exp.Expr]) -> bool:
    """A measure, or a CASE with it or nothing in each branch, over conditions that read no measure."""
    node = node.unnest()
    if isinstance(node, exp.Cast):
        return _linear(node.this, alias, measures)
    if isinstance(node, exp.Column):
        return node.table.lower() == alias and node.name.lower() in measures
    if isinstance(node, exp.Mul):
        parts = [node.this, node.expression]
        plain = [not _reads(part, alias, measures) for part in parts]
        return any(plain[place] and _linear(parts[1 - place], alias, measures) for place in (0, 1))
    if not isinstance(node, exp.Case):
        return False
    ends = [branch.args["true"] for branch in node.args.get("ifs") or ()]
    ends += [node.args["default"]] if node.args.get("default") is not None else []
    if any(_reads(branch.this, alias, measures) for branch in node.args.get("ifs") or ()):
        return False
    nothing = [isinstance(end, exp.Null) or (isinstance(end, exp.Literal) and end.this == "0") for end in ends]
    return all(empty or _linear(end, alias, measures) for empty, end in zip(nothing, ends, strict=True))


def _reads(node: exp.Expr, alias: str, measures: dict[str, exp.Expr]) -> bool:
    return any(
        column.table.lower() == alias and column.name.lower() in measures for column in node.find_all(exp.Column)
    )


def _merging(measure: exp.Expr) -> type[exp.Expr] | None:
    while isinstance(measure, (exp.Cast, exp.Paren, exp.Filter)):
        measure = measure.this
    if isinstance(getattr(measure, "this", None), exp.Distinct):
        return None
    return _MERGED_BY.get(type(measure))


def _tests_of_groups(select: exp.Select, alias: str, measures: dict[str, exp.Expr]) -> set[int]:
    """Columns in `count > 0` where every measure that is read counts or adds under that count's own condition."""
    tests = [term for term in conditions(select) if isinstance(term, exp.GT) and term.expression.sql() == "0"]
    counts = [term.this for term in tests if isinstance(term.this, exp.Column) and term.this.table.lower() == alias]
    counts = [column for column in counts if column.name.lower() in measures]
    read = {
        column.name.lower()
        for column in select.find_all(exp.Column)
        if column.table.lower() == alias and column.name.lower() in measures
    }
    if len(counts) != 1 or not isinstance(measures[counts[0].name.lower()], exp.Filter):
        return set()
    condition = measures[counts[0].name.lower()].expression
    mine = [measures[name] for name in read]
    if not isinstance(measures[counts[0].name.lower()].this.this, exp.Star):
        return set()
    return {id(counts[0])} if all(_under(each, condition) for each in mine) else set()


def _under(measure: exp.Expr, condition: exp.Expr) -> bool:
    """Whether a measure looks at no row outside a condition: its own filter holds all of its terms."""
    if not isinstance(measure, exp.Filter):
        return False
    asked = {term.sql() for term in condition.this.flatten()} if isinstance(condition.this, exp.And) else set()
    asked = asked or {condition.this.sql()}
    has = measure.expression.this
    held = {term.sql() for term in has.flatten()} if isinstance(has, exp.And) else {has.sql()}
    parts = list(terms(has))
    refusing = {name for part in parts for name in refused(part)}
    return all(text in held or _value_asked(text, condition, refusing) for text in asked)


def _value_asked(text: str, condition: exp.Expr, refusing: set[str]) -> bool:
    """Whether a term only asks that a column is not NULL, which others ask as well."""
    found = (term for term in terms(condition.this) if term.sql() == text)
    return any(
        isinstance(term, exp.Not)
        and isinstance(term.this, exp.Is)
        and isinstance(term.this.expression, exp.Null)
        and term.this.this.sql() in refusing
        for term in found
    )
