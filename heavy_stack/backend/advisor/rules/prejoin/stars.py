"""A SELECT as stars: a large table, and the tables that give each of its rows at most one partner.

Only reads. What is not understood in a SELECT (RIGHT and FULL joins, USING, samples, lateral sources) leaves it without
stars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Table, TableName
from heavy_stack.backend.advisor.rules.prejoin.keys import KeyFinder
from heavy_stack.backend.advisor.rules.rollup.inlining import side_of, sources_of
from heavy_stack.backend.advisor.rules.rollup.trees import columns_of, conjuncts, joined, terms, text_of, unwrapped
from heavy_stack.backend.advisor.sql.catalog import Catalog

_TABLE_KEYS = frozenset({"this", "db", "catalog", "alias"})
_SELECT_KEYS = frozenset(
    {"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "fetch", "distinct"}
    | {"with_", "kind", "operation_modifiers", "windows"}
)


@dataclass(frozen=True)
class Step:
    """One joined table: `parent` is the role that it hangs on; `pairs` are (parent's column, own key column)."""

    parent: str
    table: TableName
    pairs: tuple[tuple[str, str], ...]

    @property
    def role(self) -> str:
        """The path from the fact to here: equal paths mean the same partner of each row."""
        own = ",".join(own for own, _ in self.pairs)
        theirs = ",".join(theirs for _, theirs in self.pairs)
        return f"{self.parent}/{own}={self.table}({theirs})"


FACT = ""
"""The role of the fact itself."""


@dataclass(frozen=True, eq=False)
class Member:
    """A joined table of a star.

    Attributes:
        alias: Its name in the SELECT.
        parent: The alias of the table that it hangs on.
        step: The join.
        left: Joined by LEFT JOIN, so that rows without a partner stay.
        links: The conditions that say no more than the join.
    """

    alias: str
    parent: str
    step: Step
    left: bool
    links: tuple[exp.Expr, ...]


@dataclass(frozen=True, eq=False)
class Star:
    """A fact's use in a SELECT with the tables that hang on it, parents first."""

    alias: str
    fact: Table
    members: tuple[Member, ...]

    @property
    def roles(self) -> dict[str, str]:
        """Alias → role."""
        return {self.alias: FACT} | {member.alias: member.step.role for member in self.members}


@dataclass(frozen=True, eq=False)
class Reading:
    """A SELECT taken apart.

    Attributes:
        select: The SELECT; its tree is not changed.
        sources: In their order, each with its join.
        base: Alias → base table.
        pool: Conditions of WHERE and inner joins, with what all arms of an OR ask taken out of it.
        left: Alias → conditions of its LEFT JOIN.
    """

    select: exp.Select
    sources: tuple[tuple[exp.Expr, exp.Join | None], ...]
    base: dict[str, Table]
    pool: tuple[exp.Expr, ...]
    left: dict[str, tuple[exp.Expr, ...]]

    def place_of(self, alias: str) -> int:
        """The source's place in the FROM."""
        return next(place for place, (source, _) in enumerate(self.sources) if source.alias_or_name == alias)


def reading_of(select: exp.Select, catalog: Catalog) -> Reading | None:
    """The SELECT taken apart; None where it reads no base table or holds what is not understood."""
    if any(value for key, value in select.args.items() if key not in _SELECT_KEYS):
        return None
    sources = tuple(sources_of(select))
    if any(side_of(join) not in ("", "LEFT") for _, join in sources if join is not None):
        return None
    names = [source.alias_or_name for source, _ in sources]
    if len(set(names)) != len(names) or "" in names:
        return None
    base: dict[str, Table] = {}
    for source, _ in sources:
        if isinstance(source, exp.Table):
            table = catalog.resolve_node(source) if source.db else None
            odd = any(value for key, value in source.args.items() if key not in _TABLE_KEYS)
            if table is not None and not odd and not _renames_columns(source):
                base[source.alias_or_name] = table
        elif not isinstance(source, exp.Subquery) or any(True for _ in columns_of(source, set(names))):
            return None  # a lateral source reads the rows of those before it
    if not base:
        return None
    where = select.args.get("where")
    pool = [part for node in conjuncts(where.this if where is not None else None) for part in factored(node)]
    left: dict[str, tuple[exp.Expr, ...]] = {}
    for source, join in sources:
        if join is None:
            continue
        conditions = conjuncts(join.args.get("on"))
        if side_of(join) == "LEFT":
            left[source.alias_or_name] = tuple(conditions)
        else:
            pool += [part for node in conditions for part in factored(node)]
    return Reading(select, sources, base, tuple(pool), left)


def _renames_columns(source: exp.Table) -> bool:
    alias = source.args.get("alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.columns)


def factored(node: exp.Expr) -> list[exp.Expr]:
    """`(a AND b) OR (a AND c)` as `a`, `b OR c` where `a` equates two columns; else the condition as it is.

    AND distributes over OR in three-valued logic too.
    """
    if not isinstance(node, exp.Or):
        return [node]
    arms = [conjuncts(arm) for arm in terms(node, exp.Or)]
    shared = set.intersection(*({text_of(part) for part in arm} for arm in arms))
    links = [part for part in arms[0] if text_of(part) in shared and column_pair(part) is not None]
    if not links:
        return [node]
    taken = {text_of(part) for part in links}
    rests = [[part for part in arm if text_of(part) not in taken] for arm in arms]
    unique = list({text_of(part): part for part in links}.values())
    if any(not rest for rest in rests):
        return unique
    return [*unique, joined([joined(rest) for rest in rests], exp.Or)]


def column_pair(part: exp.Expr) -> tuple[exp.Column, exp.Column] | None:
    """The columns of an equality between two sources."""
    if not isinstance(part, exp.EQ):
        return None
    left, right = unwrapped(part.this), unwrapped(part.expression)
    if isinstance(left, exp.Column) and isinstance(right, exp.Column) and left.table != right.table:
        return left, right
    return None


def stars_of(reading: Reading, keys: KeyFinder, weight: Callable[[Table], float]) -> list[Star]:
    """The stars of a SELECT, the heaviest fact first; each source belongs to one star."""
    inner = _links(reading.pool, reading)
    taken: set[str] = set()
    found: list[Star] = []
    for alias in sorted(reading.base, key=lambda each: (-weight(reading.base[each]), each)):
        if alias in taken:
            continue
        star = _star(alias, reading, inner, keys, taken)
        taken |= {alias, *(member.alias for member in star.members)}
        found.append(star)
    return found


def star_at(alias: str, reading: Reading, keys: KeyFinder) -> Star:
    """The star of one source of a SELECT, by the keys that are known."""
    return _star(alias, reading, _links(reading.pool, reading), keys, set())


_Links = dict[tuple[str, str], list[tuple[str, str, exp.Expr | None]]]
"""(alias, other alias) → (column, other's column, condition); None where other equalities imply it."""


def _links(pool: tuple[exp.Expr, ...], reading: Reading) -> _Links:
    found: _Links = {}
    for part in pool:
        pair = column_pair(part)
        if pair is None or not {pair[0].table, pair[1].table} <= set(reading.base):
            continue
        for one, two in (pair, pair[::-1]):
            found.setdefault((one.table, two.table), []).append((one.name, two.name, part))
    for one, two in _implied(pool, set(reading.base)):
        known = found.setdefault((one.table, two.table), [])
        if not any((own, theirs) == (one.name, two.name) for own, theirs, _ in known):
            known.append((one.name, two.name, None))
    return found


def _implied(pool: tuple[exp.Expr, ...], base: set[str]) -> Iterator[tuple[exp.Column, exp.Column]]:
    """`a = c` where `a = b` and `b = c` are asked, each pair both ways; all of one type, so that nothing is cast."""
    classes: list[dict[tuple[str, str], exp.Column]] = []
    for part in pool:
        pair = column_pair(part)
        if pair is None or pair[0].type is None or pair[0].type != pair[1].type:
            continue
        merged = {(column.table, column.name): column for column in pair}
        apart = []
        for each in classes:
            if each.keys() & merged.keys():
                merged |= each
            else:
                apart.append(each)
        classes = [*apart, merged]
    for each in classes:
        columns = [column for column in each.values() if column.table in base]
        yield from ((one, two) for one in columns for two in columns if one.table != two.table)


def _star(alias: str, reading: Reading, inner: _Links, keys: KeyFinder, taken: set[str]) -> Star:
    members: list[Member] = []
    roles = {alias: FACT}
    place = reading.place_of(alias)
    grew = True
    while grew:
        grew = False
        for other in reading.base:
            if other in roles or other in taken:
                continue
            if alias in reading.left and reading.place_of(other) < place:
                continue  # its rows stay where the fact has none
            member = next((m for parent in roles if (m := _member(parent, other, roles, reading, inner, keys))), None)
            if member is not None:
                members.append(member)
                roles[other] = member.step.role
                grew = True
    return Star(alias, reading.base[alias], tuple(members))


def _member(
    parent: str, alias: str, roles: dict[str, str], reading: Reading, inner: _Links, keys: KeyFinder
) -> Member | None:
    table = reading.base[alias]
    is_left = alias in reading.left
    links = _links(reading.left[alias], reading).get((parent, alias), []) if is_left else inner.get((parent, alias), [])
    if not links:
        return None
    key = keys.key_among(table, frozenset(theirs for _, theirs, _ in links))
    if key is None:
        return None
    used = [next(link for link in links if link[1] == column) for column in key]
    if is_left and len(reading.left[alias]) != len(used):
        return None  # a further condition decides which partner counts
    pairs = tuple(sorted((own, theirs) for own, theirs, _ in used))
    return Member(
        alias,
        parent,
        Step(roles[parent], table.name, pairs),
        is_left,
        tuple(link for _, _, link in used if link is not None),
    )
