"""Whether each output of an aggregating SELECT is grouped or aggregated, as Trino demands.

sqlglot does not ask; a query whose `GROUP BY` was eaten by a flattened comment would pass for a valid one.
"""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.sql.guards import SqlProblem, place_of


def check_grouping(tree: exp.Expr) -> None:
    """Raise SqlProblem for the first column of a resolved tree that is neither grouped nor aggregated.

    Also for an aggregate where single rows are asked: in WHERE, ON, GROUP BY or another aggregate.
    """
    for select in tree.find_all(exp.Select):
        aggregate = _misplaced_aggregate(select)
        if aggregate is not None:
            message = f"the aggregate {aggregate.key} stands where single rows are asked"
            raise SqlProblem(message, *place_of(aggregate))
        column = _stray_column(select)
        if column is not None:
            raise SqlProblem(f"column {column.name} is neither grouped nor aggregated", *place_of(column.this))


def _stray_column(select: exp.Select) -> exp.Column | None:
    group = select.args.get("group")
    places: list[exp.Expr] = list(select.expressions)
    having = select.args.get("having")
    if isinstance(having, exp.Expr):
        places.append(having)
    if group is None and not any(_aggregates(place) for place in places):
        return None
    keys = _keys(group, select)
    if keys is None:
        return None
    own = {source.alias_or_name for source in _sources(select)}
    stack = list(reversed(places))
    while stack:
        node = stack.pop()
        if node in keys or isinstance(node, (exp.Query, exp.Anonymous, exp.Grouping)):
            continue
        if isinstance(node, (exp.AggFunc, exp.Filter)) and not _is_windowed(node):
            continue
        if isinstance(node, exp.Column) and node.table in own:
            return node
        stack.extend(reversed(list(node.iter_expressions())))
    return None


def _misplaced_aggregate(select: exp.Select) -> exp.Expr | None:
    by_rows = [select.args.get("where"), select.args.get("group")]
    by_rows += [join.args.get("on") for join in select.args.get("joins") or []]
    stack = [(part, True) for part in by_rows if isinstance(part, exp.Expr)]
    stack += [(item, False) for item in select.expressions]
    while stack:
        node, by_row = stack.pop()
        if isinstance(node, exp.Query):
            continue
        aggregates = isinstance(node, exp.AggFunc) and not isinstance(node, exp.Grouping) and not _is_windowed(node)
        if aggregates and by_row:
            return node
        stack.extend((child, by_row or aggregates) for child in node.iter_expressions())
    return None


def _is_windowed(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls)) and parent.this is node:
        node, parent = parent, parent.parent
    return isinstance(parent, exp.Window) and parent.this is node


def _aggregates(place: exp.Expr) -> bool:
    stack = [place]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Query):
            continue
        if isinstance(node, exp.AggFunc) and not _is_windowed(node):
            return True
        stack.extend(node.iter_expressions())
    return False


def _keys(group: exp.Expr | None, select: exp.Select) -> set[exp.Expr] | None:
    """The grouped expressions; None where they cannot be told (GROUP BY ALL)."""
    keys: set[exp.Expr] = set()
    if group is None:
        return keys
    if group.args.get("all"):
        return None
    stack = [*group.expressions]
    for part in ("grouping_sets", "cube", "rollup"):
        stack.extend(item for item in group.args.get(part) or [] if isinstance(item, exp.Expr))
    while stack:
        node = stack.pop()
        if isinstance(node, (exp.Tuple, exp.GroupingSets, exp.Cube, exp.Rollup)):
            stack.extend(node.expressions)
            continue
        if isinstance(node, exp.Literal) and node.is_int and 0 < int(node.this) <= len(select.expressions):
            node = select.expressions[int(node.this) - 1].unalias()
        keys.add(node)
        keys.add(node.unnest())
    return keys


def _sources(select: exp.Select) -> list[exp.Expr]:
    found = [join.this for join in select.args.get("joins") or []]
    from_ = select.args.get("from_")
    if from_ is not None:
        found.append(from_.this)
    return found
