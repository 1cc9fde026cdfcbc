"""A SELECT read from a pre-joined table: joined tables fold into it, the rest stays joined beside it.

The stored table has every row of the fact exactly once, since each partner was found by LEFT JOIN on a unique key. So a
LEFT JOIN of the query is there already; an INNER JOIN asks in addition that the partner exists.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Table
from heavy_stack.backend.advisor.rules.prejoin.keys import table_of
from heavy_stack.backend.advisor.rules.prejoin.null_rejection import columns_never_null
from heavy_stack.backend.advisor.rules.prejoin.shelves import EXISTS, RoleColumn, Shelf
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Member, Reading, Star, column_pair
from heavy_stack.backend.advisor.rules.rollup.inlining import side_of
from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    aliases_within,
    columns_of,
    joined,
    own_nodes,
    rebuilt,
    text_of,
)

_PARTS = ("expressions", "group", "having", "order", "windows", "distinct")
_KEPT = ("with_", "kind", "limit", "offset", "fetch", "operation_modifiers")


@dataclass(frozen=True, eq=False)
class Folded:
    """A SELECT over a stored table.

    Attributes:
        select: The new SELECT; shares no node with the old one.
        alias: The stored table's alias in it.
        used: The stored columns that it reads, by what they hold.
        gone: The aliases that it does not read any more.
        asked: The columns whose NULL it takes for a missing partner.
    """

    select: exp.Select
    alias: str
    used: frozenset[RoleColumn]
    gone: frozenset[str]
    asked: frozenset[RoleColumn]


def fold(reading: Reading, star: Star, shelf: Shelf, alias: str) -> Folded:
    """The SELECT with the star's fact read from the shelf's table under `alias`.

    Raises:
        NotAnswerable: The table lacks a column of the fact.
    """
    return _Folding(reading, star, shelf, alias).folded()


class _Folding:
    def __init__(self, reading: Reading, star: Star, shelf: Shelf, alias: str) -> None:
        self.reading, self.star, self.shelf, self.alias = reading, star, shelf, alias
        self.roles = {name: role for name, role in star.roles.items() if role == FACT or role in shelf.steps}
        self.members = [member for member in star.members if member.alias in self.roles]
        self.folded_in = {star.alias, *(member.alias for member in self.members)}
        self.used: set[RoleColumn] = set()
        self.asked: set[RoleColumn] = set()
        self.same = self._equal_columns()

    def _equal_columns(self) -> dict[tuple[str, str], list[tuple[str, str]]]:
        """Columns with one value in every row of the result: both sides of an inner join's equality."""
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for member in self.members:
            if member.left:
                continue
            for own, theirs in member.step.pairs:
                one, two = (member.parent, own), (member.alias, theirs)
                if self._type(*one) == self._type(*two):
                    found.setdefault(one, []).append(two)
                    found.setdefault(two, []).append(one)
        return found

    def _type(self, alias: str, column: str) -> str:
        table: Table = self.reading.base[alias]
        return next((each.type for each in table.columns if each.name.lower() == column.lower()), alias)

    def folded(self) -> Folded:
        while True:
            links = self._said()
            conditions = [part for part in self.reading.pool if id(part) not in links]
            stays = next((member for member in reversed(self._gone()) if not self._can_go(member, links)), None)
            if stays is not None:
                self.folded_in.discard(stays.alias)
                continue
            missing = self._missing(conditions)
            if missing is None:
                break
            self.folded_in.discard(missing.alias)
        return self._build(conditions, missing_checks=self._checks(conditions))

    def _gone(self) -> list[Member]:
        return [member for member in self.members if member.alias in self.folded_in]

    def _can_go(self, member: Member, links: AbstractSet[int]) -> bool:
        """Whether all that the SELECT reads of it is stored."""
        return all(
            self._stored(column.table, column.name) is not None
            for part in self._all_parts(links)
            for column in columns_of(part, {member.alias})
        )

    def _all_parts(self, links: AbstractSet[int]) -> list[exp.Expr]:
        select = self.reading.select
        parts: list[exp.Expr] = []
        for key in _PARTS:
            value = select.args.get(key)
            parts += [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, exp.Expr)]
        parts += self.reading.pool
        for name, conditions in self.reading.left.items():
            if name not in self.folded_in or name == self.star.alias:
                parts += conditions
        return [part for part in parts if id(part) not in links]

    # Partners that must exist

    def _missing(self, conditions: list[exp.Expr]) -> Member | None:
        """An inner partner whose existence cannot be asked of the table."""
        proven = self._proven(conditions)
        for member in reversed(self._gone()):
            if not member.left and not self._is_proven(member, proven) and self._key_of(member) is None:
                return member
            if not member.left:
                proven |= {member.step.role}
        return None

    def _checks(self, conditions: list[exp.Expr]) -> list[exp.Expr]:
        """`key IS NOT NULL` for the inner partners that no condition proves to exist; the farthest first."""
        proven = self._proven(conditions)
        checks: list[exp.Expr] = []
        for member in reversed(self._gone()):
            if member.left:
                continue
            key = self._key_of(member)
            if not self._is_proven(member, proven) and key is not None:
                read = self._read(key)
                checks.append(read if key[1] == EXISTS else exp.Not(this=exp.Is(this=read, expression=exp.Null())))
                if key in self.shelf.filled:
                    self.asked.add(key)
            proven |= {member.step.role}
        return checks

    def _proven(self, conditions: list[exp.Expr]) -> set[str]:
        found: set[str] = set()
        for part in conditions:
            for alias, column in columns_never_null(part):
                if alias in self.folded_in:
                    place = self._stored(alias, column)
                    if place is not None:
                        found.add(place[0])
        return found

    def _is_proven(self, member: Member, proven: AbstractSet[str]) -> bool:
        """A partner exists where a column of it, or of a partner of its own, has a value."""
        role = member.step.role
        return any(role == each or role in self.shelf.above(each) for each in proven)

    def _key_of(self, member: Member) -> RoleColumn | None:
        """A stored column that is NULL only where the partner is missing; one that is read anyway, if it may."""
        role = member.step.role
        table = self.reading.base[member.alias]
        always = [column.name for column in table.columns if not column.nullable]
        places = [(role, column.lower()) for column in (*(theirs for _, theirs in member.step.pairs), *always)]
        stored = [place for place in places if place in self.shelf.columns]
        mark = [(role, EXISTS)] if (role, EXISTS) in self.shelf.columns else []
        if (mark or stored) and not self.shelf.is_draft:
            return [*mark, *stored][0]
        filled = [place for place in self.shelf.filled if place[0] == role]
        read = self._places_read(member)
        own = (place for place in (*filled, *stored) if place in read)
        return next(own, next(iter([*mark, *filled, *stored]), None))

    def _places_read(self, member: Member) -> set[RoleColumn | None]:
        links = self._said()
        return {
            self._stored(column.table, column.name)
            for part in self._all_parts(links)
            for column in columns_of(part, {member.alias})
        }

    # Columns

    def _stored(self, alias: str, column: str) -> RoleColumn | None:
        """What the table stores of a column, or of one that is equal to it in every row; the fact's own first."""
        found: list[RoleColumn] = []
        waiting, seen = [(alias, column)], {(alias, column)}
        while waiting:
            name, wanted = waiting.pop(0)
            place = (self.roles[name], wanted.lower())
            if self.shelf.holds(place):
                found.append(place)
            fresh = [other for other in self.same.get((name, wanted), ()) if other not in seen]
            seen.update(fresh)
            waiting += fresh
        return min(found, key=lambda place: (place[0].count("/"), place), default=None)

    def _read(self, place: RoleColumn) -> exp.Expr:
        if place not in self.shelf.columns:
            return self.shelf.derived[place[1]].value(lambda part: self._read((FACT, part)))
        self.used.add(place)
        return exp.column(self.shelf.columns[place], table=self.alias, quoted=True)

    def _mapped(self, node: exp.Expr, visible: AbstractSet[str]) -> exp.Expr:
        """A copy of `node` with the columns of `visible` sources read from the table."""
        if isinstance(node, exp.Column):
            if node.table not in visible:
                return node.copy()
            place = self._stored(node.table, node.name)
            if place is None:
                raise NotAnswerable("No table of the design holds what the query reads.")
            value = self._read(place)
            value.type = node.type
            return value
        if isinstance(node, (exp.Select, exp.SetOperation, exp.Subquery)):
            visible = visible - aliases_within(node)
        return rebuilt(node, lambda child: self._mapped(child, visible)) if visible else node.copy()

    # The new SELECT

    def _build(self, conditions: list[exp.Expr], missing_checks: list[exp.Expr]) -> Folded:
        old = self.reading.select
        new = exp.Select()
        for key in _PARTS:
            value = old.args.get(key)
            if isinstance(value, list):
                new.set(key, [self._mapped(item, self.folded_in) for item in value])
            elif isinstance(value, exp.Expr):
                new.set(key, self._mapped(value, self.folded_in))
        for key in _KEPT:
            value = old.args.get(key)
            if value:
                new.set(key, value.copy() if isinstance(value, exp.Expr) else value)
        mapped = [self._condition(part) for part in conditions] + missing_checks
        waiting = list({text_of(part): part for part in mapped}.values())
        self._place_sources(new, waiting)
        gone = {member.alias for member in self._gone()}
        return Folded(new, self.alias, frozenset(self.used), frozenset(gone), frozenset(self.asked))

    def _said(self) -> set[int]:
        """The conditions that the table's own joins say: those of its members, and equalities that follow from them.

        A column that a partner was found by has a value, so it equals itself.
        """
        gone = self._gone()
        found = {id(link) for member in gone for link in member.links}
        classes: list[set[tuple[str, str]]] = []
        for member in gone:
            for own, theirs in member.step.pairs if not member.left else ():
                pair = {(member.parent, own), (member.alias, theirs)}
                if len({self._type(*column) for column in pair}) == 1:
                    touched = [each for each in classes if each & pair]
                    classes = [each for each in classes if not each & pair] + [pair.union(*touched)]
        for part in self.reading.pool:
            columns = column_pair(part)
            if columns is not None and any({(each.table, each.name) for each in columns} <= one for one in classes):
                found.add(id(part))
        return found

    def _condition(self, part: exp.Expr) -> exp.Expr:
        """A filter on a table that stays joined is asked of the stored copy of its column: fewer rows are joined."""
        columns = [node for node in own_nodes(part) if isinstance(node, exp.Column)]
        plain = not any(isinstance(node, exp.Query) for node in own_nodes(part))
        # An equality of two sources may be what joins one that stays: its stored copy would equal itself.
        if plain and columns and column_pair(part) is None and all(column.table in self.roles for column in columns):
            places = [self._stored(column.table, column.name) for column in columns]
            links = {id(link) for member in self.members for link in member.links}
            if id(part) not in links and all(place is not None for place in places):
                return self._mapped(part, set(self.roles))
        return self._mapped(part, self.folded_in)

    def _place_sources(self, new: exp.Select, waiting: list[exp.Expr]) -> None:
        fact = self.star.alias
        sources = [(source, join) for source, join in self.reading.sources if not self._is_gone(source)]
        if fact not in self.reading.left:
            own = next(each for each in sources if each[0].alias_or_name == fact)
            sources = [own, *(each for each in sources if each is not own)]
        names = {source.alias_or_name for source, _ in sources} - {fact} | {self.alias}
        placed: set[str] = set()
        for index, (source, join) in enumerate(sources):
            name = source.alias_or_name
            here = table_of(self.shelf.table.name, self.alias) if name == fact else source.copy()
            placed.add(self.alias if name == fact else name)
            if index == 0:
                new.set("from_", exp.From(this=here))
                continue
            if join is not None and side_of(join) == "LEFT":
                on = joined([self._mapped(part, self.folded_in) for part in self.reading.left[name]] or [exp.true()])
                new.append("joins", exp.Join(this=here, side="LEFT", on=on))
                continue
            # Trino takes no correlated subquery in ON; it stays in WHERE.
            ready = [
                part
                for part in waiting
                if part.find(exp.Query) is None and name in (asked := _asked(part, names)) and asked <= placed
            ]
            waiting = [part for part in waiting if not any(part is each for each in ready)]
            new.append("joins", exp.Join(this=here, on=joined(ready)) if ready else exp.Join(this=here, kind="CROSS"))
        if waiting:
            new.set("where", exp.Where(this=joined(waiting)))

    def _is_gone(self, source: exp.Expr) -> bool:
        name = source.alias_or_name
        return name in self.folded_in and name != self.star.alias


def _asked(part: exp.Expr, names: AbstractSet[str]) -> set[str]:
    return {column.table for column in columns_of(part, names)}
