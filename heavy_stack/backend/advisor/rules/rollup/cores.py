"""The core of a block: the base tables and joins that a rollup stands for, under names that every query shares."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Table, TableName
from heavy_stack.backend.advisor.rules.rollup.literal_kinds import literal_moves
from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    canonical,
    conjuncts,
    joined,
    own_nodes,
    text_of,
    unwrapped,
)

Base = dict[str, tuple[exp.Table, Table]]


@dataclass(frozen=True, eq=False)
class Core:
    """Base tables and the joins between them.

    Attributes:
        key: Equal keys mean the same rows under the same names.
        names: The block's alias of each source → its canonical name.
        from_: FROM and JOINs under canonical names, as a SELECT without projections.
        tables: Canonical name → table.
    """

    key: str
    names: dict[str, str]
    from_: exp.Select
    tables: dict[str, Table]

    @property
    def table_names(self) -> tuple[TableName, ...]:
        """The base tables, each once, in the order of their names."""
        return tuple(sorted({table.name for table in self.tables.values()}))


def inner_core(base: Base, pool: list[exp.Expr], needed: set[str], *, whole: bool) -> tuple[Core, list[exp.Expr]]:
    """A core of inner joins, and the conditions of `pool` that it takes in (equalities between two of its tables).

    Args:
        base: The base tables of the block by alias.
        pool: WHERE and ON conditions.
        needed: Aliases that the aggregates speak of; the core grows from them along equalities.
        whole: Take all tables in.

    Raises:
        NotAnswerable: The tables are not joined to each other.
    """
    links = [(part, pair) for part in pool if (pair := linked(part)) is not None and pair <= set(base)]
    start = next(iter(sorted(needed) or sorted(base)), None)
    if start is None:
        raise NotAnswerable("No base table is aggregated.")
    reached = {start}
    while True:
        more = {alias for _, pair in links if pair & reached for alias in pair} - reached
        if not more:
            break
        reached |= more
    wanted = set(base) if whole else reached
    if not (needed <= reached and wanted <= reached):
        raise NotAnswerable("The tables are multiplied without a join condition.")
    names = _canonical_names({alias: base[alias] for alias in base if alias in wanted})
    used = [part for part, pair in links if pair <= wanted]
    conditions = {text_of(canonical(part, names)): canonical(part, names) for part in used}
    tables = {names[alias]: base[alias][1] for alias in names}
    from_ = _joined_tables(tables, conditions)
    key = " ".join([*(f"{name}={table.name}" for name, table in sorted(tables.items())), *sorted(conditions)])
    return Core(key, names, from_, tables), used


def join_tree_core(select: exp.Select, base: Base) -> Core:
    """The core that is a SELECT's whole FROM with its outer joins, in their order.

    Raises:
        NotAnswerable: An ON condition holds a literal that moves; it would be baked into the table.
    """
    names = _canonical_names(base)
    first = base[select.args["from_"].this.alias_or_name]
    from_ = exp.Select().from_(_source(first[1], names[first[0].alias_or_name]))
    for join in select.args["joins"]:
        on = join.args.get("on")
        if on is not None:
            if literal_moves(on, lambda column: False):
                raise NotAnswerable("An outer join's condition holds a literal that moves.")
            if any(isinstance(node, exp.Query) for node in own_nodes(on)):
                raise NotAnswerable("An outer join's condition holds a subquery.")
        alias = join.this.alias_or_name
        copied = exp.Join(
            this=_source(base[alias][1], names[alias]),
            side=join.args.get("side"),
            kind=join.args.get("kind") or (None if on is not None else "CROSS"),
            on=joined([canonical(part, names) for part in conjuncts(on)]) if on is not None else None,
        )
        from_.append("joins", copied)
    tables = {names[alias]: base[alias][1] for alias in names}
    return Core(text_of(from_), names, from_, tables)


def linked(part: exp.Expr) -> set[str] | None:
    """The two sources that an equality of two columns joins."""
    if not isinstance(part, exp.EQ):
        return None
    left, right = unwrapped(part.this), unwrapped(part.expression)
    if not isinstance(left, exp.Column) or not isinstance(right, exp.Column) or left.table == right.table:
        return None
    return {left.table, right.table}


def _canonical_names(base: Base) -> dict[str, str]:
    """The table's own name for each alias; numbered in the text's order where one table stands twice."""
    count = Counter(table.name.name for _, table in base.values())
    seen: Counter[str] = Counter()
    names: dict[str, str] = {}
    for alias, (_, table) in base.items():
        name = table.name.name
        seen[name] += 1
        names[alias] = name if count[name] == 1 else f"{name}_{seen[name]}"
    if len(set(names.values())) != len(names):
        raise NotAnswerable("The tables' names cannot be told apart.")
    return names


def _source(table: Table, name: str) -> exp.Table:
    source = exp.Table(
        this=exp.to_identifier(table.name.name, quoted=True),
        db=exp.to_identifier(table.name.schema, quoted=True),
        catalog=exp.to_identifier(table.name.catalog, quoted=True),
    )
    source.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    return source


def _joined_tables(tables: dict[str, Table], conditions: dict[str, exp.Expr]) -> exp.Select:
    """FROM … JOIN … ON …, each table joined as soon as an equality reaches it."""
    waiting = sorted(tables)
    left = dict(sorted(conditions.items()))
    first = waiting.pop(0)
    from_ = exp.Select().from_(_source(tables[first], first))
    placed = {first}
    while waiting:
        name = next(
            each
            for each in waiting
            if any(_names_in(part) <= placed | {each} and each in _names_in(part) for part in left.values())
        )
        waiting.remove(name)
        placed.add(name)
        on = [text for text, part in left.items() if _names_in(part) <= placed]
        from_.append("joins", exp.Join(this=_source(tables[name], name), on=joined([left.pop(text) for text in on])))
    return from_


def _names_in(part: exp.Expr) -> set[str]:
    return {column.table for column in part.find_all(exp.Column)}
