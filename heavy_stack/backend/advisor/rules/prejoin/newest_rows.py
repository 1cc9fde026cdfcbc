"""Queries for the newest row of each key, spelled as joins to a table of each key's greatest value.

`row_number() OVER (PARTITION BY k ORDER BY t DESC) = 1`, `t = (SELECT MAX(t) … WHERE k = k)`, `(k, t) IN (SELECT k,
MAX(t) … GROUP BY k)` and a join to `(SELECT k, MAX(t) … GROUP BY k)` all ask which row has its key's greatest value.
The window names one row of several with that value: where neither k nor t is NULL it may pass over all others, and
where (k, t) tells the rows apart it is not needed at all; conditions prove both. The others are the same by definition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import TableName
from heavy_stack.backend.advisor.rules.prejoin.extremes import Extreme, catalog_with
from heavy_stack.backend.advisor.rules.prejoin.keys import table_of
from heavy_stack.backend.advisor.rules.prejoin.newest_parts import (
    asked_for_one,
    computes_over_rows,
    derived,
    drop_condition,
    extreme_call,
    inner_conditions,
    only_window,
)
from heavy_stack.backend.advisor.rules.rollup.inlining import merge_plain_sources, side_of, sources_of
from heavy_stack.backend.advisor.rules.rollup.trees import (
    aggregates_of,
    columns_of,
    conjuncts,
    is_volatile,
    joined,
    own_nodes,
    own_parts,
    unwrapped,
)
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.printing import cast_to
from heavy_stack.backend.advisor.sql.types import annotate

Known = Callable[[Extreme, bool], Extreme | None]
"""(extreme, whether a window asks, so that neither key nor value may be NULL) → the same with what is known of it, or
None where the text is not to be spelled by it."""

PLACE, ABSORBED = "place", "absorbed"
"""Notes on nodes of a spelled tree: a SELECT's place in the text; on an extreme, those that it stands for."""
_BODY_KEYS = frozenset({"expressions", "from_", "kind", "operation_modifiers"})


@dataclass(frozen=True, eq=False)
class Spelled:
    """A text's tree with extremes joined in it.

    Attributes:
        tree: A copy; SELECTs and extremes carry notes.
        extremes: Those that it joins.
        conditions: What must hold of the data: name → SQL that returns no row.
    """

    tree: exp.Query
    extremes: frozenset[Extreme]
    conditions: dict[str, str]


def spelled_by_extremes(tree: exp.Query, catalog: Catalog, known: Known) -> Spelled | None:
    """The text spelled anew; None where it asks for no newest rows."""
    new = tree.copy()
    if not isinstance(new, exp.Query) or any(with_.args.get("recursive") for with_ in new.find_all(exp.With)):
        return None
    names = [cte.alias for cte in new.find_all(exp.CTE)]
    if len(set(names)) != len(names):
        return None
    return _Spelling(new, catalog, known).spelled()


def notes_of(select: exp.Select) -> tuple[int | None, tuple[int, ...]]:
    """A spelled SELECT's place in the text, and the places of the SELECTs that are merged into it."""
    place = select.meta.get(PLACE)
    absorbed = [each for source, _ in sources_of(select) for each in source.meta.get(ABSORBED, ())]
    return place, tuple(sorted(set(absorbed) - {place}))


@dataclass(eq=False)
class _Spelling:
    tree: exp.Query
    catalog: Catalog
    known: Known
    found: set[Extreme] = field(default_factory=set)
    conditions: dict[str, str] = field(default_factory=dict)

    def spelled(self) -> Spelled | None:
        selects = list(self.tree.find_all(exp.Select, bfs=False))
        for place, select in enumerate(selects):
            select.meta[PLACE] = place
        self.taken = {node.alias_or_name for node in self.tree.find_all(exp.Table, exp.Subquery, exp.CTE)}
        for select in reversed(selects):
            if any(side_of(join) not in ("", "LEFT") for join in select.args.get("joins") or []):
                continue
            self._spell_groups(select)
            self._spell_windows(select)
            self._spell_conditions(select)
            self._spell_joins(select)
        if not self.found:
            return None
        merge_plain_sources(self.tree, lambda select: True)
        annotate(self.tree, catalog_with(self.found, self.catalog))
        return Spelled(self.tree, frozenset(self.found), self.conditions)

    # row_number() … = 1

    def _spell_windows(self, select: exp.Select) -> None:
        for source, join in list(sources_of(select)):
            body = self._body_of(source)
            window = only_window(body) if body is not None else None
            if body is None or window is None:
                continue
            asked = asked_for_one(select, source.alias_or_name, window.alias, join)
            extreme = self._extreme_of(body, window.this)
            known = self.known(extreme, True) if asked is not None and extreme is not None else None
            if asked is None or known is None:
                continue
            if known.unique:
                window.set("this", cast_to(exp.Literal.number(1), "bigint"))
                drop_condition(select, asked)
            self.conditions |= known.conditions()
            self._read_extreme(body, known)
            read = {each.name for part in own_parts(select) for each in columns_of(part, {source.alias_or_name})}
            body.set("expressions", [item for item in body.expressions if item.alias in read] or body.expressions[:1])
            source.replace(derived(body, source.alias_or_name))

    def _extreme_of(self, body: exp.Select, window: exp.Window) -> Extreme | None:
        order = window.args.get("order")
        first = order.expressions[0] if isinstance(order, exp.Order) and order.expressions else None
        keys = [unwrapped(key) for key in window.args.get("partition_by") or []]
        if not isinstance(first, exp.Ordered) or not keys or not all(isinstance(key, exp.Column) for key in keys):
            return None
        value = unwrapped(first.this)
        if not isinstance(value, exp.Column):
            return None
        return self._extreme(
            body.args["from_"].this, [key.name for key in keys], value.name, bool(first.args.get("desc"))
        )

    def _extreme(self, source: exp.Expr, keys: list[str], column: str, newest: bool) -> Extreme | None:
        table = self.catalog.resolve_node(source) if isinstance(source, exp.Table) and source.db else None
        if table is None:
            return None
        names = tuple(sorted({key.lower() for key in keys}))
        found = Extreme(table.name, names, column.lower(), "MAX" if newest else "MIN")
        return found if found.as_table(self.catalog) is not None else None

    # SELECT k, MAX_BY(x, t) … GROUP BY k

    def _spell_groups(self, select: exp.Select) -> None:
        group = select.args.get("group")
        if any(item for key, item in select.args.items() if key not in {*_BODY_KEYS, "group"}) or group is None:
            return
        keys = [unwrapped(key) for key in group.expressions]
        only_keys = all(key == "expressions" or not item for key, item in group.args.items())
        if not keys or not only_keys or not all(isinstance(key, exp.Column) for key in keys):
            return
        values: dict[str, exp.Expr] = {}
        asked: set[tuple[bool, str]] = set()
        for item in select.expressions:
            call, inner = extreme_call(item), unwrapped(item.this) if isinstance(item, exp.Alias) else item
            by = unwrapped(inner.expression) if isinstance(inner, (exp.ArgMax, exp.ArgMin)) else None
            if call is not None:
                asked.add((call[0], call[1].name))
                values[item.alias] = call[1]
            elif isinstance(by, exp.Column) and not inner.args.get("count") and not computes_over_rows(inner.this):
                asked.add((isinstance(inner, exp.ArgMax), by.name))
                values[item.alias] = inner.this
            elif isinstance(inner, exp.Column) and inner.name in {key.name for key in keys}:
                values[item.alias] = inner
            else:
                return
        if len(asked) != 1 or len(values) != len(select.expressions):
            return
        newest, column = asked.pop()
        extreme = self._extreme(select.args["from_"].this, [key.name for key in keys], column, newest)
        known = self.known(extreme, True) if extreme is not None else None
        if known is None or not known.unique or not select.find(exp.ArgMax, exp.ArgMin):
            return
        self.conditions |= known.conditions()
        select.set("group", None)
        select.set("expressions", [exp.alias_(value.copy(), name, quoted=True) for name, value in values.items()])
        self._read_extreme(select, known)

    def _read_extreme(self, select: exp.Select, extreme: Extreme) -> None:
        """Of a SELECT's one base table the rows with the greatest value: itself marked, or a table of these rows."""
        source, place = select.args["from_"].this, select.meta.get(PLACE)
        base = source.alias_or_name
        if not extreme.rows:
            self._join(select, extreme, {each: (base, each) for each in (*extreme.keys, extreme.column)}, [place])
            return
        table = table_of(extreme.name, base)
        table.meta[ABSORBED] = tuple(each for each in [place] if each is not None)
        source.replace(table)
        self.found.add(extreme)

    # t = (SELECT MAX(t) …), (k, t) IN (SELECT k, MAX(t) … GROUP BY k)

    def _spell_conditions(self, select: exp.Select) -> None:
        base = {
            source.alias_or_name
            for source, _ in sources_of(select)
            if isinstance(source, exp.Table) and self.catalog.resolve_node(source) is not None
        }
        while (step := self._condition(select, base)) is not None:
            part, extreme, links, inner = step
            drop_condition(select, part)
            self._join(select, extreme, links, [inner.meta.get(PLACE)])

    def _condition(
        self, select: exp.Select, base: set[str]
    ) -> tuple[exp.Expr, Extreme, dict[str, tuple[str, str]], exp.Select] | None:
        for part in inner_conditions(select):
            found = self._correlated(part, base) or self._membership(part, base)
            extreme = self.known(found[0], False) if found is not None else None
            if found is not None and extreme is not None and not extreme.rows:
                return part, extreme, found[1], found[2]
        return None

    def _correlated(
        self, part: exp.Expr, base: set[str]
    ) -> tuple[Extreme, dict[str, tuple[str, str]], exp.Select] | None:
        if not isinstance(part, exp.EQ):
            return None
        one, two = unwrapped(part.this), unwrapped(part.expression)
        value, query = (one, two) if isinstance(two, exp.Subquery) else (two, one)
        inner = query.this if isinstance(query, exp.Subquery) else None
        if not isinstance(value, exp.Column) or value.table not in base or not isinstance(inner, exp.Select):
            return None
        if any(item for key, item in inner.args.items() if key not in {*_BODY_KEYS, "where"}):
            return None
        call = extreme_call(inner.expressions[0]) if len(inner.expressions) == 1 else None
        where = inner.args.get("where")
        own = inner.args["from_"].this.alias_or_name if inner.args.get("from_") else ""
        links: dict[str, tuple[str, str]] = {}
        for each in conjuncts(where.this if where is not None else None):
            pair = [unwrapped(each.this), unwrapped(each.expression)] if isinstance(each, exp.EQ) else []
            mine = [side for side in pair if isinstance(side, exp.Column) and side.table == own]
            other = [side for side in pair if isinstance(side, exp.Column) and side.table in base - {own}]
            if len(mine) != 1 or len(other) != 1 or mine[0].name.lower() in links:
                return None
            links[mine[0].name.lower()] = other[0].table, other[0].name
        if call is None or not links or call[1].table != own:
            return None
        extreme = self._extreme(inner.args["from_"].this, list(links), call[1].name, call[0])
        if extreme is None:
            return None
        return extreme, links | {extreme.column: (value.table, value.name)}, inner

    def _membership(
        self, part: exp.Expr, base: set[str]
    ) -> tuple[Extreme, dict[str, tuple[str, str]], exp.Select] | None:
        query = part.args.get("query") if isinstance(part, exp.In) else None
        inner = query.this if isinstance(query, exp.Subquery) else query
        subject = unwrapped(part.this) if isinstance(part, exp.In) else None
        if not isinstance(inner, exp.Select) or not isinstance(subject, exp.Tuple):
            return None
        grouped = self._grouped(inner)
        columns = [unwrapped(each) for each in subject.expressions]
        if grouped is None or len(columns) != len(inner.expressions):
            return None
        extreme, outputs = grouped
        links: dict[str, tuple[str, str]] = {}
        for item, column in zip(inner.expressions, columns, strict=True):
            if not isinstance(column, exp.Column) or column.table not in base:
                return None
            links[outputs[item.alias]] = column.table, column.name
        return (extreme, links, inner) if len(links) == len(columns) else None

    def _grouped(self, body: exp.Select) -> tuple[Extreme, dict[str, str]] | None:
        """The extreme that `SELECT k, MAX(t) FROM … GROUP BY k` is, and its outputs → the extreme's columns."""
        if any(item for key, item in body.args.items() if key not in {*_BODY_KEYS, "group"}):
            return None
        group = body.args.get("group")
        plain = group is not None and all(key == "expressions" or not item for key, item in group.args.items())
        keys = [unwrapped(key) for key in group.expressions] if group is not None and plain else []
        if not keys or not all(isinstance(key, exp.Column) for key in keys):
            return None
        outputs: dict[str, str] = {}
        call: tuple[bool, exp.Column] | None = None
        for item in body.expressions:
            found = extreme_call(item)
            inner = unwrapped(item.this) if isinstance(item, exp.Alias) else item
            if found is not None and call is None:
                call = found
                outputs[item.alias] = found[1].name.lower()
            elif isinstance(inner, exp.Column) and isinstance(item, exp.Alias):
                outputs[item.alias] = inner.name.lower()
            else:
                return None
        if call is None or len(outputs) != len(body.expressions):
            return None
        extreme = self._extreme(body.args["from_"].this, [key.name for key in keys], call[1].name, call[0])
        if extreme is None or set(outputs.values()) != {*extreme.keys, extreme.column}:
            return None
        return extreme, outputs

    # JOIN (SELECT k, MAX(t) … GROUP BY k)

    def _spell_joins(self, select: exp.Select) -> None:
        for source, join in list(sources_of(select)):
            body = self._body_of(source, grouped=True)
            grouped = self._grouped(body) if body is not None else None
            extreme = self.known(grouped[0], False) if join is not None and grouped is not None else None
            if join is None or body is None or grouped is None or extreme is None or extreme.rows:
                continue
            outputs = grouped[1]
            alias = source.alias_or_name
            for part in list(own_parts(select)):
                for column in list(columns_of(part, {alias})):
                    column.set("this", exp.to_identifier(outputs[column.name], quoted=True))
            table = table_of(extreme.name, alias)
            table.meta[ABSORBED] = tuple(each for each in [body.meta.get(PLACE)] if each is not None)
            source.replace(table)
            self.found.add(extreme)
            if not side_of(join):
                _ask(select, alias, extreme)

    # What all share

    def _body_of(self, source: exp.Expr, *, grouped: bool = False) -> exp.Select | None:
        """A copy of the SELECT behind a derived table or a CTE's name, of one base table and nothing to filter."""
        if isinstance(source, exp.Subquery) and not source.args.get("pivots"):
            body, alias = source.this, source.args.get("alias")
        elif isinstance(source, exp.Table) and not source.db:
            cte = next((each for each in self.tree.find_all(exp.CTE) if each.alias == source.name), None)
            body, alias = (cte.this, cte.args.get("alias")) if cte is not None else (None, None)
        else:
            return None
        if not isinstance(body, exp.Select) or (isinstance(alias, exp.TableAlias) and alias.columns):
            return None
        keys = _BODY_KEYS | {"group"} if grouped else _BODY_KEYS
        if any(item for key, item in body.args.items() if key not in keys) or body.args.get("from_") is None:
            return None
        if any(not isinstance(item, exp.Alias) or is_volatile(item) for item in body.expressions):
            return None
        if any(isinstance(node, exp.Query) for item in body.expressions for node in own_nodes(item)):
            return None
        return body.copy() if grouped or not aggregates_of(body) else None

    def _join(
        self, select: exp.Select, extreme: Extreme, links: dict[str, tuple[str, str]], absorbed: list[int | None]
    ) -> None:
        alias, number = extreme.mark.removeprefix("is_"), 1
        while alias in self.taken:
            number += 1
            alias = f"{extreme.mark.removeprefix('is_')}_{number}"
        self.taken.add(alias)
        table = table_of(extreme.name, alias)
        table.meta[ABSORBED] = tuple(each for each in absorbed if each is not None)
        on: list[exp.Expr] = [
            exp.EQ(
                this=exp.column(column, table=alias, quoted=True),
                expression=exp.column(theirs, table=source, quoted=True),
            )
            for column, (source, theirs) in sorted(links.items())
        ]
        select.append("joins", exp.Join(this=table, on=joined(on)))
        self.found.add(extreme)
        _ask(select, alias, extreme)


def _ask(select: exp.Select, alias: str, extreme: Extreme) -> None:
    """The mark as a condition: it says that there is a partner."""
    mark = exp.column(extreme.mark, table=alias, quoted=True)
    mark.type = exp.DataType.build("BOOLEAN")
    where = select.args.get("where")
    select.set("where", exp.Where(this=joined([*conjuncts(where.this if where is not None else None), mark])))


def extremes_in(select: exp.Expr, names: frozenset[TableName]) -> bool:
    """Whether one of these extremes is a source below a node."""
    return any(TableName(node.catalog, node.db, node.name) in names for node in select.find_all(exp.Table))
