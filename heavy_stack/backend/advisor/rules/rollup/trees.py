"""Questions about expression trees that every part of the rule asks. Nothing here changes a tree that it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeGuard

from sqlglot import exp

_VOLATILE: tuple[type[exp.Expr], ...] = (
    exp.CurrentDate,
    exp.CurrentDatetime,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.CurrentTimezone,
    exp.CurrentUser,
    exp.CurrentCatalog,
    exp.CurrentSchema,
    exp.Localtime,
    exp.Localtimestamp,
    exp.Rand,
    exp.Randn,
    exp.Uuid,
)
_VOLATILE_NAMES = frozenset({"now", "random", "rand", "uuid", "shuffle", "current_groups", "version"})
SELECT_PARTS = ("expressions", "where", "group", "having", "order", "windows", "distinct")
"""The parts of a SELECT, beside its FROM, that speak of its sources' columns."""


class NotAnswerable(Exception):
    """This block cannot be answered from a rollup; the message says why, as a sentence for the report."""


def unwrapped(node: exp.Expr) -> exp.Expr:
    """The expression without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def terms(node: exp.Expr, connector: type[exp.Connector]) -> list[exp.Expr]:
    """The operands of a chain of AND (or OR), through parentheses; never recursive, since chains get long."""
    found: list[exp.Expr] = []
    waiting = [node]
    while waiting:
        bare = unwrapped(waiting.pop())
        if isinstance(bare, connector):
            waiting.append(bare.expression)
            waiting.append(bare.this)
        else:
            found.append(bare)
    return found


def conjuncts(node: exp.Expr | None) -> list[exp.Expr]:
    """The operands of a chain of AND; none for None."""
    return [] if node is None else terms(node, exp.And)


def joined(parts: list[exp.Expr], connector: type[exp.Connector] = exp.And) -> exp.Expr:
    """The parts (copied) as one chain, each in parentheses where precedence asks for it. At least one part."""
    built: exp.Expr | None = None
    for part in parts:
        operand = part.copy()
        if isinstance(operand, exp.Connector) and len(parts) > 1:
            operand = exp.Paren(this=operand)
        built = operand if built is None else connector(this=built, expression=operand)
    if built is None:
        raise ValueError("nothing to join")
    built.type = exp.DataType.build("BOOLEAN")
    return built


def own_nodes(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of an expression without those of queries nested in it (the nested query itself is still given)."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if isinstance(current, exp.Query) and current is not node:
            continue
        waiting.extend(reversed(list(current.iter_expressions())))


def select_places(tree: exp.Expr) -> dict[int, int]:
    """The place of each SELECT among all SELECTs of an analysed tree, depth first, by the id of its node.

    Rules that answer the same SELECT compete under this number; it is the same in every run over the same text.
    """
    return {id(select): place for place, select in enumerate(tree.find_all(exp.Select, bfs=False))}


def select_nodes(select: exp.Select) -> Iterator[exp.Expr]:
    """The nodes of a SELECT's own parts and ON conditions, without nested queries."""
    for part in own_parts(select):
        yield from own_nodes(part)


def own_parts(select: exp.Select) -> Iterator[exp.Expr]:
    """The expressions directly below a SELECT that may speak of its sources' columns."""
    for key in SELECT_PARTS:
        value = select.args.get(key)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, exp.Expr):
                yield part
    for join in select.args.get("joins") or []:
        on = join.args.get("on")
        if on is not None:
            yield on


def aliases_within(query: exp.Expr) -> set[str]:
    """The source aliases that a nested query defines itself, so that they hide those of the queries around it."""
    found: set[str] = set()
    for select in [query] if isinstance(query, exp.Select) else query.find_all(exp.Select):
        from_ = select.args.get("from_")
        sources = [from_.this] if from_ is not None else []
        sources += [join.this for join in select.args.get("joins") or []]
        found.update(source.alias_or_name for source in sources)
    return found


def columns_of(node: exp.Expr, aliases: AbstractSet[str]) -> Iterator[exp.Column]:
    """The columns in an expression that belong to the sources `aliases`, nested queries' correlated ones included."""
    waiting: list[tuple[exp.Expr, AbstractSet[str]]] = [(node, aliases)]
    while waiting:
        current, visible = waiting.pop()
        if isinstance(current, exp.Column):
            if current.table in visible:
                yield current
            continue
        if isinstance(current, (exp.Select, exp.SetOperation, exp.Subquery)):
            # A name that the nested query defines itself means its own source, not ours.
            visible = visible - aliases_within(current)
        waiting.extend((child, visible) for child in reversed(list(current.iter_expressions())))


def foreign_columns(node: exp.Expr, aliases: AbstractSet[str]) -> bool:
    """Whether the expression speaks of a column of a source outside `aliases` (nested queries count as foreign)."""
    return any(
        isinstance(part, exp.Query) or (isinstance(part, exp.Column) and part.table not in aliases)
        for part in own_nodes(node)
    )


def is_volatile(node: exp.Expr) -> bool:
    """Whether the value may differ from one run, day or user to the next."""
    return any(
        isinstance(part, _VOLATILE) or (isinstance(part, exp.Anonymous) and str(part.this).lower() in _VOLATILE_NAMES)
        for part in node.walk()
    )


def is_constant(node: exp.Expr) -> bool:
    """Whether the expression speaks of no column, query, aggregate or window (CURRENT_DATE is a constant here)."""
    return not any(
        isinstance(part, (exp.Column, exp.Query, exp.AggFunc, exp.Window, exp.Star, exp.Placeholder, exp.Parameter))
        for part in node.walk()
    )


def is_case_branch(node: exp.Expr) -> bool:
    """Whether an IF node is a WHEN of a CASE, which is no expression of its own."""
    return isinstance(node, exp.If) and isinstance(node.parent, exp.Case) and node.arg_key == "ifs"


def is_windowed(aggregate: exp.Expr) -> bool:
    """Whether an aggregate function is computed over a window, which does not group rows."""
    top = with_filter(aggregate)
    parent = top.parent
    while isinstance(parent, (exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)) and parent.this is top:
        top, parent = parent, parent.parent
    return isinstance(parent, exp.Window) and parent.this is top


def with_filter(aggregate: exp.Expr) -> exp.Expr:
    """The aggregate call with its FILTER clause, if it has one."""
    parent = aggregate.parent
    return parent if isinstance(parent, exp.Filter) and parent.this is aggregate else aggregate


def aggregates_of(select: exp.Select) -> list[exp.AggFunc]:
    """The aggregate calls that a SELECT groups its rows for, in the text's order."""
    return [
        node
        for node in select_nodes(select)
        # GROUPING(…) tells which grouping set a row is of; it computes nothing over rows.
        if isinstance(node, exp.AggFunc) and not isinstance(node, exp.Grouping) and not is_windowed(node)
    ]


def rebuilt(node: exp.Expr, change: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """A new node like `node` with every child put through `change`; the type is kept."""
    new = node.__class__()
    for key, value in node.args.items():
        new.set(key, _changed(value, change))
    new.type = node.type
    return new


def copied(node: exp.Expr, replaced: Mapping[int, exp.Expr]) -> exp.Expr:
    """A copy of `node` in which the nodes with these ids are replaced by copies of other ones."""
    found = replaced.get(id(node))
    if found is not None:
        return found.copy()
    return rebuilt(node, lambda child: copied(child, replaced)) if replaced else node.copy()


def _changed(value: Any, change: Callable[[exp.Expr], exp.Expr]) -> Any:
    if isinstance(value, exp.Expr):
        return change(value)
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    return value


def text_of(node: exp.Expr) -> str:
    """The text by which equal expressions are known; Trino SQL."""
    if isinstance(node, exp.Column):
        name, table = node.args.get("this"), node.args.get("table")
        if _is_quoted(name) and _is_quoted(table) and node.args.get("db") is None:
            return f"{_quoted(str(table.name))}.{_quoted(str(name.name))}"  # most texts are columns
    return node.sql(dialect="trino", comments=False)


def _is_quoted(part: object) -> TypeGuard[exp.Identifier]:
    return isinstance(part, exp.Identifier) and bool(part.args.get("quoted"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def canonical(node: exp.Expr, names: Mapping[str, str]) -> exp.Expr:
    """A copy with sources renamed by `names` and spellings that mean the same made one."""
    bare = unwrapped(node)
    if isinstance(bare, exp.Column):
        renamed = bare.copy()
        if bare.table in names:
            renamed.set("table", exp.to_identifier(names[bare.table], quoted=True))
        renamed.comments = None
        return renamed
    if isinstance(bare, exp.Connector):
        kind = exp.And if isinstance(bare, exp.And) else exp.Or if isinstance(bare, exp.Or) else None
        if kind is not None:
            return joined([canonical(term, names) for term in terms(bare, kind)], kind)
    new = rebuilt(bare, lambda child: _kept_parens(child, canonical(child, names)))
    new.comments = None
    return _one_spelling(new)


def _kept_parens(before: exp.Expr, after: exp.Expr) -> exp.Expr:
    if not isinstance(before, exp.Paren) or not isinstance(after, (exp.Binary, exp.Unary, exp.Predicate)):
        return after
    kept = exp.Paren(this=after)
    kept.type = after.type
    return kept


_FLIPPED: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}


def _one_spelling(node: exp.Expr) -> exp.Expr:
    """`x = TRUE` is `x`, `x = FALSE` is `NOT x` (NULL stays NULL in both), `5 < x` is `x > 5`."""
    flipped = _FLIPPED.get(type(node))
    if flipped is None or not isinstance(node, exp.Binary):
        return node
    if is_constant(node.this) and not is_constant(node.expression):
        node = flipped(this=node.expression, expression=node.this)
        node.type = exp.DataType.build("BOOLEAN")
    value = unwrapped(node.expression)
    if isinstance(value, exp.Boolean) and isinstance(node, (exp.EQ, exp.NEQ)):
        wanted = bool(value.this) == isinstance(node, exp.EQ)
        subject = unwrapped(node.this)
        if wanted:
            return subject
        if isinstance(subject, (exp.Connector, exp.Predicate)):
            subject = exp.Paren(this=subject)
        negated = exp.Not(this=subject)
        negated.type = exp.DataType.build("BOOLEAN")
        return negated
    if isinstance(node, (exp.EQ, exp.NEQ)) and not is_constant(value) and text_of(node.this) > text_of(node.expression):
        ordered = type(node)(this=node.expression, expression=node.this)
        ordered.type = node.type
        return ordered
    return node
