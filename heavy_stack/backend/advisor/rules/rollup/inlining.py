"""Plain CTEs and derived tables below an aggregation, merged into it, so that its base tables come into sight.

Only on a copy of a resolved tree, where every column names its source. A source is merged only where SQL gives the same
rows by definition; each guard says which meaning would break.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.measures import type_at
from heavy_stack.backend.advisor.rules.rollup.trees import (
    aggregates_of,
    aliases_within,
    conjuncts,
    is_volatile,
    joined,
    own_nodes,
    own_parts,
    unwrapped,
)
from heavy_stack.backend.advisor.sql.printing import cast_to

_PLAIN_KEYS = frozenset({"expressions", "from_", "joins", "where", "kind", "operation_modifiers", "order", "with_"})
MAX_MERGES = 60


def merge_plain_sources(tree: exp.Query, folds_rows: Callable[[exp.Select], bool]) -> None:
    """Merge plain sources into every SELECT that `folds_rows`, in place; CTEs that nobody reads any more go."""
    if any(with_.args.get("recursive") for with_ in tree.find_all(exp.With)):
        return
    names = [cte.alias for cte in tree.find_all(exp.CTE)]
    if len(set(names)) != len(names):
        return  # a name that means two things cannot be moved between scopes
    merges = 0
    for select in [node for node in tree.find_all(exp.Select) if folds_rows(node)]:
        while merges < MAX_MERGES and _merge_one(select, tree):
            merges += 1
    if merges:
        drop_unread_ctes(tree)
        _write_commas_as_cross_joins(tree)


def groups_rows(select: exp.Select) -> bool:
    """Whether a SELECT makes groups: GROUP BY, aggregates, or a DISTINCT of plain columns."""
    return bool(select.args.get("group") or aggregates_of(select) or select.args.get("distinct"))


def sources_of(select: exp.Select) -> Iterator[tuple[exp.Expr, exp.Join | None]]:
    """The sources of a SELECT with the join that brings each in; None for the first."""
    from_ = select.args.get("from_")
    if from_ is not None:
        yield from_.this, None
    for join in select.args.get("joins") or []:
        yield join.this, join


def side_of(join: exp.Join) -> str:
    """LEFT, RIGHT, FULL, or "" for inner and cross joins; "?" for any other kind."""
    kind, side = (join.kind or "").upper(), (join.side or "").upper()
    odd = (
        join.args.get("using")
        or join.args.get("method")
        or join.args.get("match_condition")
        or join.args.get("global_")
    )
    if odd or kind not in ("", "INNER", "CROSS", "OUTER"):
        return "?"
    return side


def _merge_one(select: exp.Select, tree: exp.Query) -> bool:
    sides = [side_of(join) for join in select.args.get("joins") or []]
    if any(side not in ("", "LEFT") for side in sides):
        return False  # RIGHT and FULL keep rows that a moved filter would have to spare
    for source, join in sources_of(select):
        if isinstance(source, (exp.Unnest, exp.Lateral, exp.Values)):
            return False
        inner = _plain_definition(source, tree)
        if inner is not None and _merge(select, source, join, inner):
            return True
    return False


def _plain_definition(source: exp.Expr, tree: exp.Query) -> exp.Select | None:
    """A copy of the SELECT behind a CTE's name or a derived table, if it only joins, filters and computes."""
    if isinstance(source, exp.Subquery):
        body = source.this if not source.args.get("pivots") else None
        alias = source.args.get("alias")
    elif isinstance(source, exp.Table) and not source.db:
        cte = next((cte for cte in tree.find_all(exp.CTE) if cte.alias == source.name), None)
        body = cte.this if cte is not None else None
        alias = cte.args.get("alias") if cte is not None else None
    else:
        return None
    if not isinstance(body, exp.Select) or body.args.get("with_"):
        return None
    if isinstance(alias, exp.TableAlias) and alias.columns:
        return None
    if any(value for key, value in body.args.items() if key not in _PLAIN_KEYS):
        return None  # LIMIT, DISTINCT, GROUP BY, HAVING … choose or fold rows before the outer query sees them
    if aggregates_of(body) or body.args.get("from_") is None:
        return None
    for node in own_nodes(body):
        if isinstance(node, (exp.Window, exp.Unnest, exp.Lateral, exp.TableSample)):
            return None  # a window sees the rows before the outer filter
        if isinstance(node, exp.Query) and node is not body and not isinstance(node.parent, (exp.From, exp.Join)):
            return None
    if any(is_volatile(item) for item in body.expressions):
        return None  # random() once per row must not become twice
    if any(not isinstance(item, exp.Alias) for item in body.expressions):
        return None
    return body.copy()


def _merge(select: exp.Select, source: exp.Expr, join: exp.Join | None, inner: exp.Select) -> bool:
    alias = source.alias_or_name
    inner_sides = [side_of(each) for each in inner.args.get("joins") or []]
    outputs = {item.alias: item.this for item in inner.expressions}
    if any(side == "?" for side in inner_sides) or len(outputs) != len(inner.expressions):
        return False
    if any(isinstance(node, exp.Query) and alias in aliases_within(node) for node in _nested(select)):
        return False  # the nested query's own source has this name
    if (
        join is not None
        and join.side
        and (len(list(sources_of(inner))) > 1 or not _only_columns(select, alias, outputs))
    ):
        return False  # the side without a partner is NULL as a whole, computed values included
    if join is not None and any(inner_sides):
        return False  # an outer join inside an inner one would change its partners
    if join is None and any(side not in ("", "LEFT") for side in inner_sides):
        return False
    _make_aliases_unique(select, source, inner)
    outputs = {item.alias: item.this for item in inner.expressions}
    _replace_columns(select, alias, outputs)
    _splice(select, join, inner)
    return True


def _nested(select: exp.Select) -> Iterator[exp.Expr]:
    for part in own_parts(select):
        yield from (node for node in own_nodes(part) if isinstance(node, exp.Query))


def _only_columns(select: exp.Select, alias: str, outputs: dict[str, exp.Expr]) -> bool:
    used = {column.name for part in own_parts(select) for column in part.find_all(exp.Column) if column.table == alias}
    return all(isinstance(unwrapped(outputs[name]), exp.Column) for name in used if name in outputs)


def _make_aliases_unique(select: exp.Select, source: exp.Expr, inner: exp.Select) -> None:
    # Nested queries below the aggregation see the new names too, so those must stay free as well.
    taken = {each.alias_or_name for each, _ in sources_of(select) if each is not source}
    for node in _nested(select):
        taken |= aliases_within(node)
    for each, _ in list(sources_of(inner)):
        old = each.alias_or_name
        new, number = old, 1
        while new in taken:
            number += 1
            new = f"{old}_{number}"
        taken.add(new)
        if new == old:
            continue
        each.set("alias", exp.TableAlias(this=exp.to_identifier(new, quoted=True)))
        for part in own_parts(inner):
            for column in part.find_all(exp.Column):
                if column.table == old:
                    column.set("table", exp.to_identifier(new, quoted=True))


def _replace_columns(select: exp.Select, alias: str, outputs: dict[str, exp.Expr]) -> None:
    for part in list(own_parts(select)):
        for column in list(part.find_all(exp.Column)):
            if column.table != alias:
                continue
            value = outputs[column.name].copy()
            if isinstance(value, (exp.Binary, exp.Unary, exp.Predicate)):
                kind = value.type
                value = exp.Paren(this=value)
                value.type = kind
            elif isinstance(value, exp.Literal) and isinstance(column.parent, (exp.Group, exp.Ordered)):
                # A bare number there is the position of a column.
                value = cast_to(value, str(type_at(column) or type_at(value) or "varchar"))
            column.replace(value)


def _splice(select: exp.Select, join: exp.Join | None, inner: exp.Select) -> None:
    first = inner.args["from_"].this
    inner_joins: list[exp.Join] = list(inner.args.get("joins") or [])
    where = inner.args.get("where")
    kept = conjuncts(where.this) if where is not None else []
    joins: list[exp.Join] = list(select.args.get("joins") or [])
    if join is None:
        select.args["from_"].set("this", first)
        select.set("joins", [*inner_joins, *joins])
        _add_where(select, kept)
        return
    at = next(index for index, each in enumerate(joins) if each is join)
    condition = conjuncts(join.args.get("on"))
    if join.side:
        # The filter of an outer-joined source decides about partners, not about rows: it belongs to ON.
        join.set("this", first)
        join.set("on", joined([*condition, *kept]) if condition or kept else exp.true())
        return
    if not inner_joins:
        join.set("this", first)
    else:
        last = inner_joins[-1]
        conditions = [*conjuncts(last.args.get("on")), *condition]
        last.set("on", joined(conditions) if conditions else None)
        if conditions:
            last.set("kind", None)
        joins[at : at + 1] = [exp.Join(this=first, kind="CROSS"), *inner_joins]
        select.set("joins", joins)
    _add_where(select, kept)


def _add_where(select: exp.Select, more: list[exp.Expr]) -> None:
    if more:
        where = select.args.get("where")
        before = conjuncts(where.this) if where is not None else []
        select.set("where", exp.Where(this=joined([*before, *more])))


def _write_commas_as_cross_joins(tree: exp.Query) -> None:
    """A comma binds weaker than JOIN, so after merging an ON could not see what stands before the comma."""
    for join in tree.find_all(exp.Join):
        if not join.side and not join.kind and join.args.get("on") is None and not join.args.get("using"):
            join.set("kind", "CROSS")


def drop_unread_ctes(tree: exp.Query) -> None:
    """Remove the CTEs that no FROM of the tree names, in place."""
    while True:
        read = {table.name for table in tree.find_all(exp.Table) if not table.db}
        unread = [cte for cte in tree.find_all(exp.CTE) if cte.alias not in read]
        if not unread:
            return
        for cte in unread:
            with_ = cte.parent
            cte.pop()
            if isinstance(with_, exp.With) and not with_.expressions:
                with_.pop()
