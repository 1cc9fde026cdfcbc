"""COUNT(DISTINCT x) added up over a table's groups, where no x stands in two of the groups that are put together.

Before: `SELECT device, COUNT(DISTINCT session) FROM clicks WHERE day >= L GROUP BY device`, from a table with a row for
every session of a day.
After: `SELECT device, SUM(count_distinct_session) FROM clicks_by_day_device WHERE day >= L GROUP BY device`.
Safe when: groups that are put together differ only in dimensions of which each x has one value: a session is of one
day. That is a condition of the data, asked of it by a query. A dimension that is a key, or that the query compares with
one constant, is the same in all of them anyway.
Never when: x may stand in groups of two days; the groups are joined with other sources (their rows repeat); the count
asks for values of a spread column (an x may have several of them).
Source: summarizability by functional dependencies; Lenz and Shoshani, "Summarizability in OLAP and Statistical Data
Bases" (SSDBM 1997).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.branches import Branch, Leaf, Tree
from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.date_grains import coarser_forms, compared_with
from heavy_stack.backend.advisor.rules.rollup.measures import measure, type_at
from heavy_stack.backend.advisor.rules.rollup.stored_parts import Canonical, Cases, Choice, Part, Stored
from heavy_stack.backend.advisor.rules.rollup.trees import canonical, conjuncts, text_of, unwrapped
from heavy_stack.backend.advisor.sql.printing import trino_sql


@dataclass(frozen=True, eq=False)
class DisjointCount:
    """A distinct count as a sum of the groups' own.

    Attributes:
        argument: What is counted, in the core's canonical names.
        text: Its text.
        part: The sum.
        given: Conditions (block's names) that every group meets that counts at all.
    """

    argument: exp.Expr
    text: str
    part: Part
    given: tuple[exp.Expr, ...]


def disjoint_count(tree: Tree, names: Canonical) -> DisjointCount | None:
    """The sum for a split argument; None where more than one case has a value, or values that no group tells apart."""
    found = list(_valued(tree, ()))
    if len(found) != 1:
        return None  # an x of two cases would count twice
    leaf, given = found[0]
    kind = type_at(leaf.value)
    if leaf.value is None or kind is None or kind.is_float:
        return None
    argument = names(leaf.value)
    return DisjointCount(argument, text_of(argument), Part("COUNT", _cases(tree, names), fills=True), given)


def _valued(tree: Tree, given: tuple[exp.Expr, ...]) -> Iterator[tuple[Leaf, tuple[exp.Expr, ...]]]:
    if isinstance(tree, Branch):
        yield from _valued(tree.yes, (*given, tree.condition))
        yield from _valued(tree.no, given)
    elif tree.value is not None:
        yield tree, given


def _cases(tree: Tree, names: Canonical) -> Cases:
    if isinstance(tree, Branch):
        return Choice(tree.condition, _cases(tree.yes, names), _cases(tree.no, names))
    if tree.value is None:
        return Stored()
    return Stored(measure("COUNT_DISTINCT", names(tree.value), [names(part) for part in tree.conditions], "bigint"))


def same_in_all(
    keys: Iterable[exp.Expr], conditions: Iterable[exp.Expr], names: dict[str, str], aliases: AbstractSet[str]
) -> frozenset[str]:
    """The texts of what is the same in all rows that are put together.

    Args:
        keys: Group keys, none where they are rolled up.
        conditions: That all these rows meet.
        names: The block's aliases → canonical names.
        aliases: The block's aliases of the core.
    """
    fixed = [*keys, *(each for part in conditions for each in _pinned(part))]
    return frozenset(
        text_of(canonical(form, names)) for each in fixed for form in (each, *coarser_forms(each, aliases))
    )


def _pinned(condition: exp.Expr) -> Iterator[exp.Expr]:
    """What a condition compares with one constant."""
    for part in conjuncts(condition):
        compared = compared_with(part) if isinstance(part, (exp.EQ, exp.In)) else None
        if compared is not None and len(compared[1]) == 1 and _means_one_value(compared[0], compared[1][0][1]):
            yield compared[0]


def _means_one_value(subject: exp.Expr, constant: exp.Expr) -> bool:
    """Whether only one value equals the constant: 0.0 is also -0.0, and large integers equal a double together."""
    one, other = type_at(subject), type_at(unwrapped(constant))
    if one is None or other is None or one.zone or other.zone:
        return False
    whole = all(each.is_integer or each.is_decimal for each in (one, other))
    return whole or (one.base == other.base and not one.is_float)


def count_condition(core: Core, count: DisjointCount, dimension: exp.Expr) -> tuple[str, str]:
    """(name, SQL that returns a row where a counted value stands in groups of several values of the dimension)."""
    name = f"each {count.text} has one {text_of(dimension)}".replace('"', "")
    source = one_source(core, count.argument, dimension) or core.from_
    return name, trino_sql(certificate(source, count.argument, dimension))


def one_source(core: Core, *nodes: exp.Expr) -> exp.Select | None:
    """FROM with the one table of the core that all columns are of; None where they are of several.

    What determines what in a table's rows does so in those that a join leaves of them, however often.
    """
    aliases = {column.table for node in nodes for column in node.find_all(exp.Column)}
    table = core.tables.get(next(iter(aliases))) if len(aliases) == 1 else None
    if table is None:
        return None
    alias, parts = aliases.pop(), (table.name.name, table.name.schema, table.name.catalog)
    name, db, catalog = (exp.to_identifier(part, quoted=True) for part in parts)
    source = exp.Table(
        this=name, db=db, catalog=catalog, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True))
    )
    return exp.Select(from_=exp.From(this=source))


def certificate(source: exp.Select, argument: exp.Expr, dimension: exp.Expr) -> exp.Select:
    """A query that returns no row where each value of `argument` has one value of `dimension`, NULL being one.

    Args:
        source: FROM.
        argument, dimension: In the core's canonical names.
    """
    value = dimension.copy()
    kind = type_at(dimension)
    if kind is not None and kind.base == "boolean":
        one, none = exp.Literal.number(1), exp.Literal.number(0)
        value = exp.Case(ifs=[exp.If(this=value, true=one)], default=none)
    counted = exp.Count(this=dimension.copy(), big_int=True)
    some = exp.GT(this=counted, expression=exp.Literal.number(0))
    missing = exp.LT(this=counted.copy(), expression=exp.Count(this=exp.Star(), big_int=True))
    differ = exp.NEQ(this=exp.Min(this=value), expression=exp.Max(this=value.copy()))
    select = source.copy()
    select.set("expressions", [argument.copy()])
    select.set("where", exp.Where(this=exp.Not(this=exp.Is(this=argument.copy(), expression=exp.Null()))))
    select.set("group", exp.Group(expressions=[argument.copy()]))
    mixed = exp.Paren(this=exp.And(this=some, expression=missing))
    select.set("having", exp.Having(this=exp.Or(this=differ, expression=mixed)))
    return select
