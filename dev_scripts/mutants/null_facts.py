"""What can be said about a typed tree without data: which expressions are never NULL, which columns are a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog

STRICT = (
    exp.Cast, exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.DateTrunc, exp.TimestampTrunc, exp.Extract,
    exp.Year, exp.Quarter, exp.Month, exp.Day, exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Round, exp.Abs,
)  # fmt: skip
"""NULL as soon as one argument is, and never NULL otherwise."""
_TESTS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.RegexpLike, exp.In, exp.Between)
_COUNTS = (exp.Count, exp.CountIf)


@dataclass(frozen=True)
class Known:
    """What the names in a tree stand for.

    Attributes:
        catalog: The DDL's tables.
        views: The SELECT behind each table of the design.
    """

    catalog: Catalog
    views: Mapping[TableName, exp.Query]

    def query_behind(self, source: exp.Expr) -> exp.Query | None:
        """The query that a source of a FROM stands for; None for a table of the DDL."""
        if isinstance(source, exp.Subquery):
            return source.this if isinstance(source.this, exp.Query) else None
        if not isinstance(source, exp.Table):
            return None
        if not source.db:
            return _cte(source)
        name = tuple(part.name.lower() for part in source.parts)
        found = (view for table, view in self.views.items() if (table.catalog, table.schema, table.name) == name)
        return next(found, None)


def _cte(source: exp.Table) -> exp.Query | None:
    node = source.parent
    while node is not None:
        ctes = node.args.get("with_")
        for cte in ctes.expressions if isinstance(ctes, exp.With) else ():
            if cte.alias.lower() == source.name.lower() and isinstance(cte.this, exp.Query):
                return cte.this
        node = node.parent
    return None


def sources(select: exp.Select) -> dict[str, exp.Expr]:
    """The sources of a SELECT by alias."""
    first = select.args.get("from_")
    found = [first.this] if first is not None else []
    found += [join.this for join in select.args.get("joins") or ()]
    return {source.alias_or_name.lower(): source for source in found}


def optional(select: exp.Select) -> set[str]:
    """Aliases whose rows an outer join may fill with NULL."""
    found: set[str] = set()
    seen = [next(iter(sources(select)), "")]
    for join in select.args.get("joins") or ():
        side = (join.side or "").upper()
        found |= {join.this.alias_or_name.lower()} if side in ("LEFT", "FULL") else set()
        found |= set(seen) if side in ("RIGHT", "FULL") else set()
        seen.append(join.this.alias_or_name.lower())
    return found


def terms(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The conjuncts of a condition."""
    if isinstance(condition, exp.Paren):
        yield from terms(condition.this)
    elif isinstance(condition, exp.And):
        yield from terms(condition.this)
        yield from terms(condition.expression)
    elif condition is not None:
        yield condition


def conditions(select: exp.Select) -> Iterator[exp.Expr]:
    """The conjuncts that every row of a SELECT satisfies: WHERE, and ON of joins that fill in no NULLs."""
    where = select.args.get("where")
    yield from terms(where.this if where is not None else None)
    joins = select.args.get("joins") or ()
    if not any((join.side or "").upper() in ("RIGHT", "FULL") for join in joins):
        for join in joins:
            if not join.side:
                yield from terms(join.args.get("on"))


def refused(term: exp.Expr) -> set[str]:
    """Columns (as SQL) whose NULL keeps a condition from being true."""
    while isinstance(term, exp.Paren):
        term = term.this
    if isinstance(term, exp.Or):
        return refused(term.this) & refused(term.expression)
    if isinstance(term, exp.And):
        return refused(term.this) | refused(term.expression)
    if isinstance(term, exp.Not):
        inner = term.this.unnest()
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            return strict_columns(inner.this)
        return refused(inner) if isinstance(inner, (*_TESTS, exp.Column)) else set()
    if isinstance(term, exp.Column):
        return {term.sql()}
    if isinstance(term, exp.Exists):
        return _asked_around(term.this)
    if isinstance(term, (exp.In, exp.Between)):
        return strict_columns(term.this)
    if isinstance(term, _TESTS):
        sides = [side for side in (term.this, term.expression) if isinstance(side, exp.Expr)]
        return {name for side in sides for name in (*strict_columns(side), *_asked_of_rows(side))}
    return set()


def _asked_of_rows(node: exp.Expr) -> set[str]:
    """Columns without whose values a scalar subquery finds no row, and then is NULL."""
    query = node.this if isinstance(node, exp.Subquery) else None
    if not isinstance(query, exp.Select) or len(query.selects) != 1 or query.args.get("group") is not None:
        return set()
    calls = list(query.selects[0].find_all(exp.AggFunc))
    known = all(isinstance(call, (exp.Sum, exp.Avg, exp.Min, exp.Max)) for call in calls)
    if not known or (calls and not _strict_over(query.selects[0].unalias())):
        return set()
    mine = sources(query)
    found = {name for term in conditions(query) for name in refused(term)}
    return {name for name in found if exp.to_column(name).args["table"].name.lower() not in mine}


def _asked_around(node: exp.Expr) -> set[str]:
    """Columns of the query around without whose values an EXISTS finds no row."""
    query = node.this if isinstance(node, exp.Subquery) else node
    if not isinstance(query, exp.Select) or (query.args.get("group") is None and query.find(exp.AggFunc)):
        return set()
    mine = sources(query)
    found = {name for term in conditions(query) for name in refused(term)}
    return {name for name in found if exp.to_column(name).args["table"].name.lower() not in mine}


def _strict_over(node: exp.Expr) -> bool:
    """Whether an expression over aggregates is NULL where one of them is."""
    if isinstance(node, (exp.Sum, exp.Avg, exp.Min, exp.Max)):
        return True
    inner = [part for part in node.iter_expressions() if not isinstance(part, (exp.DataType, exp.Var, exp.Literal))]
    return isinstance(node, STRICT) and any(_strict_over(part) for part in inner)


def strict_columns(node: exp.Expr) -> set[str]:
    """Columns (as SQL) whose NULL makes an expression NULL."""
    if isinstance(node, exp.Column):
        return {node.sql()}
    if isinstance(node, STRICT):
        return {name for child in node.iter_expressions() for name in strict_columns(child)}
    return set()


def owner_of(column: exp.Column) -> exp.Select | None:
    """The SELECT around a column whose FROM has its alias."""
    select = column.find_ancestor(exp.Select)
    while select is not None and column.table.lower() not in sources(select):
        select = select.find_ancestor(exp.Select)
    return select


def never_null(node: exp.Expr, known: Known, but: exp.Expr | None = None) -> bool:
    """Whether an expression has a value in every row that reaches it.

    Args:
        but: A condition that must not be used for it: the one that is about to go.
    """
    if isinstance(node, exp.Column):
        return _column_never_null(node, known, but)
    if isinstance(node, exp.Literal):
        return True
    if isinstance(node, STRICT):
        parts = [part for part in node.iter_expressions() if not isinstance(part, (exp.DataType, exp.Var))]
        return all(never_null(part, known, but) for part in parts)
    if isinstance(node, exp.Coalesce):
        return any(never_null(part, known, but) for part in (node.this, *node.expressions))
    if isinstance(node, exp.Case):
        ends = [branch.args["true"] for branch in node.args.get("ifs") or ()]
        default = node.args.get("default")
        return default is not None and all(never_null(end, known, but) for end in (*ends, default))
    if isinstance(node, exp.Filter):
        return isinstance(node.this, _COUNTS)
    if isinstance(node, _COUNTS):
        return True
    if isinstance(node, (exp.Sum, exp.Min, exp.Max, exp.Avg)) and not isinstance(node.parent, (exp.Window, exp.Filter)):
        select = node.find_ancestor(exp.Select)
        if select is not None and _asked_by_having(node, select):
            return True
        grouped = select is not None and bool(group_keys(select)) and not has_sets(select)
        return grouped and not isinstance(node.this, exp.Distinct) and never_null(node.this, known, but)
    return False


def _asked_by_having(call: exp.Expr, select: exp.Select) -> bool:
    """Whether HAVING refuses groups in which an aggregate, which stands elsewhere, is NULL."""
    having = select.args.get("having")
    if having is None or call.find_ancestor(exp.Having, exp.Select) is having:
        return False
    tests = [
        term for term in terms(having.this) if isinstance(term, (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE))
    ]
    return any(call in strict_parts(side) for term in tests for side in (term.this, term.expression))


def strict_parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """What makes an expression NULL when it is NULL, itself first."""
    yield node
    if isinstance(node, STRICT):
        for part in node.iter_expressions():
            yield from strict_parts(part)
    elif isinstance(node, exp.Nullif):
        yield from strict_parts(node.this)


def has_sets(select: exp.Select) -> bool:
    """Whether a grouped SELECT makes several levels of groups."""
    group = select.args["group"]
    return any(group.args.get(name) for name in ("grouping_sets", "rollup", "cube"))


def _column_never_null(column: exp.Column, known: Known, but: exp.Expr | None) -> bool:
    select = owner_of(column)
    if select is None:
        return False
    names = {name for term in conditions(select) if term is not but for name in refused(term)}
    others = [other for name in names if isinstance(other := exp.to_column(name), exp.Column)]
    if column.sql() in names or any(_null_together(column, other, select, known) for other in others):
        return True
    group = select.args.get("group")
    if column.table.lower() in optional(select) or (group is not None and has_sets(select)):
        return False
    source = sources(select)[column.table.lower()]
    return _output_never_null(source, column.name.lower(), known, but)


def _null_together(left: exp.Column, right: exp.Column, select: exp.Select | None, known: Known) -> bool:
    """Whether two columns of one source are computed from one column, so that either is NULL where the other is."""
    if left.table.lower() != right.table.lower() or select is None or left.table.lower() not in sources(select):
        return False
    if left.name.lower() == right.name.lower():
        return True
    query = known.query_behind(sources(select)[left.table.lower()])
    if not isinstance(query, exp.Select) or (query.args.get("group") is not None and has_sets(query)):
        return False
    items = {item.alias_or_name.lower(): item.unalias() for item in query.selects}
    behind = [_only_column(items[side.name.lower()]) for side in (left, right) if side.name.lower() in items]
    if len(behind) < 2 or behind[0] is None or behind[1] is None:
        return False
    return _null_together(behind[0], behind[1], query, known)


def _only_column(node: exp.Expr) -> exp.Column | None:
    """The single column that an expression is strict in, and reads."""
    columns = list(node.find_all(exp.Column))
    single = columns[0] if columns and all(column == columns[0] for column in columns) else None
    return single if single is not None and strict_columns(node) == {single.sql()} and _is_strict(node) else None


def _is_strict(node: exp.Expr) -> bool:
    if isinstance(node, (exp.Column, exp.Literal)):
        return True
    parts = [part for part in node.iter_expressions() if not isinstance(part, (exp.DataType, exp.Var))]
    return isinstance(node, STRICT) and all(_is_strict(part) for part in parts)


def _output_never_null(source: exp.Expr, name: str, known: Known, but: exp.Expr | None) -> bool:
    query = known.query_behind(source)
    if isinstance(query, exp.Select):
        item = next((item for item in query.selects if item.alias_or_name.lower() == name), None)
        return item is not None and never_null(item.unalias(), known, but)
    if isinstance(query, exp.SetOperation) or not isinstance(source, exp.Table):
        return False
    table = known.catalog.resolve_node(source)
    return table is not None and any(c.name.lower() == name and not c.nullable for c in table.columns)


def group_keys(select: exp.Select) -> list[exp.Expr]:
    """The expressions that a SELECT groups by; empty without GROUP BY."""
    group = select.args.get("group")
    keys = list(group.expressions) if group is not None else []
    return [
        select.selects[int(key.this) - 1].unalias() if isinstance(key, exp.Literal) and key.is_int else key
        for key in keys
    ]


def key_of(select: exp.Select, known: Known) -> set[str] | None:
    """Output columns of which no two rows agree in all; None when unknown."""
    items = {item.unalias(): item.alias_or_name.lower() for item in select.selects}
    keys = group_keys(select)
    if keys:
        if has_sets(select) or any(key not in items for key in keys):
            return None
        return {items[key] for key in keys}
    if select.args.get("joins") or any(select.find_all(exp.Unnest, exp.Lateral)):
        return None
    if any(isinstance(item.unalias(), exp.AggFunc) for item in select.selects):
        return set()
    for item, name in items.items():
        if isinstance(item, exp.Window) and isinstance(item.this, exp.RowNumber):
            parts = item.args.get("partition_by") or []
            if all(part in items for part in parts):
                return {name, *(items[part] for part in parts)}
    inner = source_key(next(iter(sources(select).values()), None), known)
    if inner is None:
        return None
    bare = ((_told_apart(item), name) for item, name in items.items())
    names = {item.name.lower(): name for item, name in bare if isinstance(item, exp.Column)}
    fixed = {column.split(".")[-1].strip('"').lower() for column in fixed_columns(select)}
    wanted = inner - fixed
    return {names[name] for name in wanted} if wanted <= set(names) else None


def _told_apart(node: exp.Expr) -> exp.Expr:
    """The column behind a text that is put before or after it: other values give other texts."""
    if isinstance(node, exp.DPipe):
        for side, other in ((node.this, node.expression), (node.expression, node.this)):
            if isinstance(other, exp.Literal) and isinstance(side, exp.Column):
                return side
    return node


def source_key(source: exp.Expr | None, known: Known) -> set[str] | None:
    """The same of a source of a FROM."""
    query = known.query_behind(source) if source is not None else None
    return key_of(query, known) if isinstance(query, exp.Select) else None


def fixed_columns(select: exp.Select) -> set[str]:
    """Columns (as SQL) that have one value in all rows: equated with a constant, or with a column of a query around."""
    found = set()
    mine = sources(select)
    for term in conditions(select):
        if isinstance(term, exp.EQ):
            for side, other in ((term.this, term.expression), (term.expression, term.this)):
                foreign = all(column.table.lower() not in mine for column in other.find_all(exp.Column))
                if isinstance(side, exp.Column) and foreign and not any(other.find_all(exp.Query)):
                    found.add(side.sql())
    return found
