"""What becomes of a query's rows in the queries around it: whether all of them refuse those with NULL in a column."""

from __future__ import annotations

from sqlglot import exp

from dev_scripts.mutants.null_facts import (
    conditions,
    group_keys,
    has_sets,
    optional,
    refused,
    sources,
    strict_columns,
    terms,
)


def null_rows_vanish(query: exp.Expr, name: str) -> bool:
    """Whether the whole comes to the same without a query's rows whose output `name` is NULL."""
    if query.args.get("limit") is not None or query.args.get("fetch") is not None:
        return False
    holder = query.parent
    if isinstance(holder, exp.Union):
        return _union_without(holder, query, name)
    if isinstance(holder, exp.Subquery):
        if isinstance(holder.parent, exp.Union):
            return _union_without(holder.parent, query, name)
        if not isinstance(holder.parent, (exp.From, exp.Join)) or _renames(holder):
            return False
        around = holder.find_ancestor(exp.Select)
        return around is not None and unread_when_null(around, holder.alias, name)
    if isinstance(holder, exp.CTE) and not _renames(holder):
        return _cte_without(holder, name)
    return False


def _renames(holder: exp.Expr) -> bool:
    alias = holder.args.get("alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.args.get("columns"))


def _union_without(union: exp.Union, branch: exp.Expr, name: str) -> bool:
    names = [item.alias_or_name.lower() for item in branch.selects] if isinstance(branch, exp.Query) else []
    outputs = [item.alias_or_name.lower() for item in union.selects]
    if names.count(name.lower()) != 1 or len(names) != len(outputs):
        return False
    return null_rows_vanish(union, outputs[names.index(name.lower())])


def _cte_without(cte: exp.CTE, name: str) -> bool:
    root = cte.root()
    mine = cte.alias.lower()
    if cte.parent is not None and cte.parent.args.get("recursive"):
        return False
    if sum(other.alias.lower() == mine for other in root.find_all(exp.CTE)) != 1:
        return False
    places = [table for table in root.find_all(exp.Table) if not table.db and table.name.lower() == mine]
    for place in places:
        around = place.find_ancestor(exp.Select)
        if around is None or not unread_when_null(around, place.alias_or_name, name):
            return False
    return bool(places)


def unread_when_null(select: exp.Select, alias: str, name: str) -> bool:
    """Whether the whole comes to the same without the rows of one of a SELECT's sources whose column is NULL."""
    alias, name = alias.lower(), name.lower()
    if alias not in sources(select):
        return False
    if alias in optional(select):
        join = next((join for join in select.args.get("joins") or () if join.this.alias_or_name.lower() == alias), None)
        plain = join is not None and (join.side or "").upper() == "LEFT"
        only = all((each.side or "").upper() in ("", "LEFT") for each in select.args.get("joins") or ())
        return plain and only and join is not None and _refuses(terms(join.args.get("on")), alias, name)
    if _refuses(conditions(select), alias, name) or _ignores(select, alias, name):
        return True
    return any(
        _is(item.unalias(), alias, name) and null_rows_of_select_vanish(select, item.unalias(), item.alias_or_name)
        for item in select.selects
    )


def null_rows_of_select_vanish(select: exp.Select, value: exp.Expr, output: str) -> bool:
    """Whether a SELECT's input rows in which a value is NULL change nothing, because its output `output` shows it.

    With GROUP BY they have groups of their own, whose key is NULL.
    """
    if any(select.find_all(exp.Window)) or any(
        each.side in ("RIGHT", "FULL") for each in select.args.get("joins") or ()
    ):
        return False
    keys = group_keys(select)
    if keys and (value not in keys or has_sets(select)):
        return False
    if not keys and any(call.find_ancestor(exp.Select) is select for call in select.find_all(exp.AggFunc)):
        return False
    return null_rows_vanish(select, output)


def shown(select: exp.Select, value: exp.Expr) -> list[str]:
    """Outputs of a SELECT that are a value."""
    return [item.alias_or_name for item in select.selects if item.unalias() == value]


def _ignores(select: exp.Select, alias: str, name: str) -> bool:
    """Whether a SELECT aggregates by calls that leave out rows with NULL in a column.

    A group of nothing else must then be refused by HAVING, where there are groups.
    """
    calls = [call for call in select.find_all(exp.AggFunc) if call.find_ancestor(exp.Select) is select]
    if not calls or any(select.find_all(exp.Window)) or (select.args.get("group") is not None and has_sets(select)):
        return False
    plain = all(type(call) in (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count) for call in calls)
    if not plain or not all(_is_strict_in(call, alias, name) for call in calls):
        return False
    having = select.args.get("having")
    return select.args.get("group") is None or any(
        isinstance(side, (exp.Sum, exp.Avg, exp.Min, exp.Max))
        for term in terms(having.this if having is not None else None)
        if isinstance(term, (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ))
        for side in (term.this, term.expression)
    )


def _is_strict_in(call: exp.AggFunc, alias: str, name: str) -> bool:
    inner = call.this
    names = strict_columns(inner) if isinstance(inner, exp.Expr) else set()
    return f"{alias}.{name}" in {each.replace('"', "").lower() for each in names}


def _is(node: exp.Expr, alias: str, name: str) -> bool:
    return isinstance(node, exp.Column) and node.table.lower() == alias and node.name.lower() == name


def _refuses(found: object, alias: str, name: str) -> bool:
    wanted = f"{alias}.{name}"
    names = {each.replace('"', "").lower() for term in found for each in refused(term)}  # type: ignore[attr-defined]
    return wanted in names
