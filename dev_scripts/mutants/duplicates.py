"""Rewritings that keep a result because nobody counts rows that are equal, or because no two are."""

from __future__ import annotations

from sqlglot import exp

from dev_scripts.mutants.null_facts import Known, fixed_columns, group_keys, key_of, optional, source_key, sources
from dev_scripts.mutants.shares import shows_shares_only

_INSENSITIVE = (exp.Min, exp.Max, exp.AnyValue)
_RANKS = (exp.Rank, exp.DenseRank)


def without_ties(window: exp.Window, known: Known) -> bool:
    """Whether no two rows of a partition are equal in the window's order."""
    select = window.find_ancestor(exp.Select)
    if select is None or window.args.get("order") is None:
        return False
    by = [item.this for item in window.args["order"].expressions] + (window.args.get("partition_by") or [])
    keys = group_keys(select)
    if keys:
        group = select.args["group"]
        sets = any(group.args.get(name) for name in ("grouping_sets", "rollup", "cube"))
        fixed = fixed_columns(select)
        return not sets and all(key in by or key.sql() in fixed for key in keys)
    if select.args.get("joins"):
        return False
    key = source_key(next(iter(sources(select).values()), None), known)
    names = {each.name.lower() for each in by if isinstance(each, exp.Column)}
    names |= {exp.to_column(name).name.lower() for name in fixed_columns(select)}
    return key is not None and key <= names


def rank_of_a_key(node: exp.Expr, known: Known) -> exp.Expr | None:
    """RANK and DENSE_RANK where no two rows tie."""
    if isinstance(node, exp.Window) and isinstance(node.this, _RANKS) and without_ties(node, known):
        node.set("this", exp.RowNumber())
        return node
    return None


def duplicates_nobody_counts(node: exp.Expr, known: Known) -> exp.Expr | None:
    """A source with DISTINCT, or twice, below a SELECT that only asks which rows there are."""
    if not isinstance(node, exp.Subquery) or not isinstance(node.parent, (exp.From, exp.Join)):
        return None
    select = node.find_ancestor(exp.Select)
    if select is None or not (_asks_which(select) or shows_shares_only(select, node.alias)):
        return None
    inner = node.this
    distinct = inner.args.get("distinct") if isinstance(inner, exp.Select) and _asks_which(select) else None
    if isinstance(distinct, exp.Distinct) and inner.args.get("limit") is None and distinct.args.get("on") is None:
        inner.set("distinct", None)
        return node
    return _stands_twice(node)


def _stands_twice(node: exp.Subquery) -> exp.Table | None:
    """The table of which a source has every row twice."""
    inner = node.this
    if not isinstance(inner, exp.Union) or inner.args.get("distinct") or inner.this != inner.expression:
        return None
    branch = inner.this.unnest()
    source = next(iter(sources(branch).values()), None) if isinstance(branch, exp.Select) else None
    plain = isinstance(branch, exp.Select) and not set(_clauses(branch)) - {"expressions", "from_"}
    if not plain or not isinstance(source, exp.Table) or not all(_is_own_name(item) for item in branch.selects):
        return None
    table = source.copy()
    table.set("alias", exp.TableAlias(this=exp.to_identifier(node.alias, quoted=True)))
    return table


def is_doubled(right: exp.Select, wrong: exp.Select) -> bool:
    """Whether one version of a grouped SELECT reads every row of a source twice, which no outer join may leave out."""
    tree = wrong.copy()
    twice = [node for node in tree.find_all(exp.Subquery) if node.find_ancestor(exp.Select) is tree]
    found = [(node, table) for node in twice if (table := _stands_twice(node)) is not None]
    sides = {(join.side or "").upper() for join in right.args.get("joins") or ()}
    plain = right.args.get("having") is None and not any(right.find_all(exp.Window)) and bool(group_keys(right))
    if len(found) != 1 or sides - {"", "LEFT"} or found[0][0].alias.lower() in optional(right) or not plain:
        return False
    found[0][0].replace(found[0][1])
    return tree == right


def _clauses(select: exp.Select) -> list[str]:
    return [name for name, value in select.args.items() if value]


def _is_own_name(item: exp.Expr) -> bool:
    inner = item.unalias()
    return isinstance(inner, exp.Column) and inner.name.lower() == item.alias_or_name.lower()


def _asks_which(select: exp.Select) -> bool:
    """Whether equal rows of its sources change nothing: it is grouped or DISTINCT, without a call that counts them."""
    calls = [call for call in select.find_all(exp.AggFunc) if call.find_ancestor(exp.Select) is select]
    if any(select.find_all(exp.Window)):
        return False
    grouped = bool(select.args.get("group")) or select.args.get("distinct") is not None or bool(calls)
    return grouped and all(isinstance(call, _INSENSITIVE) or isinstance(call.this, exp.Distinct) for call in calls)


def branches_apart(node: exp.Expr, known: Known) -> exp.Expr | None:
    """UNION of branches without equal rows, neither inside one nor between two: each has another constant."""
    if not isinstance(node, exp.Union) or isinstance(node.parent, exp.SetOperation):
        return None
    if not any(each.args.get("distinct") for each in _unions(node)):
        return None
    branches = list(_branches(node))
    if not all(isinstance(branch, exp.Select) for branch in branches):
        return None
    selects = [branch for branch in branches if isinstance(branch, exp.Select)]
    if any(key_of(select, known) is None for select in selects) or not _constants_differ(selects):
        return None
    for each in _unions(node):
        each.set("distinct", False)
    return node


def union_inside(node: exp.Expr, known: Known) -> exp.Expr | None:
    """UNION ALL as a branch of a UNION, which takes duplicates out of all of it."""
    if not isinstance(node, exp.Union) or node.args.get("distinct") or node.args.get("limit") is not None:
        return None
    around = node.parent
    while isinstance(around, (exp.Subquery, exp.Paren)) and around.args.get("limit") is None:
        around = around.parent
    if not isinstance(around, exp.Union) or not around.args.get("distinct"):
        return None
    node.set("distinct", True)
    return node


def _unions(node: exp.Expr) -> list[exp.Union]:
    if not isinstance(node, exp.Union):
        return []
    return [node, *_unions(node.this.unnest()), *_unions(node.expression.unnest())]


def _branches(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Union):
        return [*_branches(node.this.unnest()), *_branches(node.expression.unnest())]
    return [node]


def _constants_differ(selects: list[exp.Select]) -> bool:
    for place in range(len(selects[0].selects)):
        values = [select.selects[place].unalias() for select in selects]
        if all(isinstance(value, exp.Literal) for value in values) and len({*map(repr, values)}) == len(values):
            return True
    return False
