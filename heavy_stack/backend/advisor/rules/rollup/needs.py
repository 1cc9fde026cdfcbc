"""What a block needs from a rollup: filters that it may have passed, dimensions, measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.aggregates import AggregatePlan, plan_of
from heavy_stack.backend.advisor.rules.rollup.blocks import Block, rows_make_groups
from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.dimensions import choose_dimensions
from heavy_stack.backend.advisor.rules.rollup.disjoint_counts import DisjointCount, same_in_all
from heavy_stack.backend.advisor.rules.rollup.literal_kinds import literal_moves
from heavy_stack.backend.advisor.rules.rollup.measures import Measure, Test, measure
from heavy_stack.backend.advisor.rules.rollup.partial_values import is_null_without_partner, may_fail
from heavy_stack.backend.advisor.rules.rollup.spread_values import Spread, asks_spread, parts_beside
from heavy_stack.backend.advisor.rules.rollup.stored_parts import Part
from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    aggregates_of,
    canonical,
    conjuncts,
    foreign_columns,
    text_of,
    unwrapped,
)


class Determines(Protocol):
    """Knows of which columns each value has one value of another (canonical names)."""

    def holds(self, core: Core, argument: exp.Expr, dimension: exp.Expr) -> bool:
        """Whether each value of `argument` has one value of `dimension`; may ask the data."""

    def is_known(self, core: Core, argument: exp.Expr, dimension: exp.Expr) -> bool:
        """Whether that was asked before, and holds."""


IsFlagOf = Callable[[str, str], bool]
"""(full table name, column) → whether the column is a flag by the profile's facts."""


@dataclass(frozen=True, eq=False)
class Needs:
    """A block's needs; expressions of `filters` and `dimensions` are in the core's canonical names.

    Attributes:
        block: The block.
        filters: Conditions that may be baked in, by text.
        residual: Conditions that stay in the query (block's names).
        dimensions: What must be a dimension, by text.
        plans: How each aggregate call is answered.
        exact_keys: The dimensions are exactly the group keys and nothing else is asked of them.
        distinct_stored: Distinct counts are stored, at exactly the keys; else their argument is a dimension.
        fragile: A stored expression may fail on rows that this block's filters keep out.
        spread: A column that is kept as one measure for every value of it.
        determines: Distinct counts are sums of the groups' own; it says which dimensions may tell the groups apart.
    """

    block: Block
    filters: dict[str, exp.Expr]
    residual: tuple[exp.Expr, ...]
    dimensions: dict[str, exp.Expr]
    plans: tuple[AggregatePlan, ...]
    exact_keys: bool
    distinct_stored: bool
    fragile: bool
    spread: Spread | None = None
    determines: Determines | None = None

    @property
    def exact(self) -> bool:
        """No rounding of the rewrite can differ from the original's."""
        return all(plan.exact for plan in self.plans)

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """The filters with their texts."""
        return tuple(Test(text, node) for text, node in self.filters.items())

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """Every stored measure over the block's rows, its filters as conditions."""
        found: dict[str, Measure] = {}
        for plan in self.plans:
            wanted = [plan.distinct] if self.distinct_stored and plan.distinct is not None else plan.measures()
            for each in wanted:
                full = each.given(self.tests)
                found[full.text] = full
        if self.groups_all_rows:
            found[self.row_count.text] = self.row_count
        if self.spread is not None:
            found[self.row_count.text] = self.row_count
            # Distinct values of several values of the column do not add up.
            whole = [each for each in found.values() if each.function != "COUNT_DISTINCT"]
            wanted = [each.given([test]) for test in self.spread.tests for each in whole]
            found.update((each.text, each) for each in wanted)
        return tuple(found.values())

    @cached_property
    def read_measures(self) -> tuple[Measure, ...]:
        """The measures that the block itself reads: of a spread column only those of the values that it asks for."""
        if self.spread is None:
            return self.measures
        parts = [*self.residual, *(part for plan in self.plans for part in (*plan.conditions(), *plan.over_dimensions))]
        asked = {test.text for part in parts for test in self.spread.tests_in(part, self.block.core.names)}
        others = {test.text for test in self.spread.tests} - asked
        return tuple(each for each in self.measures if not others & {test.text for test in each.conditions})

    @property
    def stands_alone(self) -> bool:
        """Whether no other source's rows are joined with the groups."""
        return _stands_alone(self.block)

    def same_in_all(self, count: DisjointCount) -> frozenset[str]:
        """The texts of dimensions that are the same in all groups that a sum of distinct counts puts together."""
        keys = [] if _has_grouping_sets(self.block.select) else group_keys(self.block.select)
        return same_in_all(keys, [*self.residual, *count.given], self.block.core.names, self.block.aliases)

    def told_apart_by(self, dimensions: Mapping[str, exp.Expr]) -> Iterator[tuple[DisjointCount, exp.Expr]]:
        """Each distinct count that is a sum, with each dimension in which the groups that it adds up may differ."""
        for count in (plan.disjoint for plan in self.plans):
            if count is not None:
                fixed = self.same_in_all(count)
                yield from ((count, node) for text, node in dimensions.items() if text not in fixed)

    def counts_apart(self, dimensions: Mapping[str, exp.Expr], *, ask: bool = False) -> bool:
        """Whether distinct counts of groups by these dimensions add up to the block's, as far as that is known.

        Args:
            dimensions: By text.
            ask: Ask the data where it is not known.
        """
        if self.determines is None:
            return True
        core, holds = self.block.core, self.determines.holds if ask else self.determines.is_known
        return all(holds(core, count.argument, node) for count, node in self.told_apart_by(dimensions))

    @property
    def groups_all_rows(self) -> bool:
        """No key tells rows apart, yet there is a group only where there are rows (GROUP BY 'a', EXISTS (…))."""
        return not self.dimensions and self.block.has_groups

    @cached_property
    def row_count(self) -> Measure:
        """How many rows of a group pass the block's filters; a group without any is none of the query's."""
        return measure("COUNT", None, (), "bigint").given(self.tests)


def needs_of(
    block: Block,
    is_flag_of: IsFlagOf,
    *,
    distinct_stored: bool,
    by_steps: bool = False,
    spread: Spread | None = None,
    determines: Determines | None = None,
) -> Needs:
    """The needs of a block.

    Args:
        block: The block.
        is_flag_of: Which columns are flags.
        distinct_stored: Store distinct counts at exactly the keys where that is allowed.
        by_steps: Keep numbers that are only compared with round literals at a step of them.
        spread: A column to keep as measures, where the block only asks for values of it.
        determines: Store distinct counts of groups that share no value; what it knows of the data says which do.

    Raises:
        NotAnswerable: No rollup answers this block.
    """
    core, aliases = block.core, block.aliases

    def is_flag(column: exp.Column) -> bool:
        table = core.tables.get(core.names.get(column.table, ""))
        return table is not None and is_flag_of(str(table.name), column.name)

    def moves(node: exp.Expr) -> bool:
        return literal_moves(node, is_flag) or foreign_columns(node, aliases)

    def names(node: exp.Expr) -> exp.Expr:
        return canonical(node, core.names)

    filters: dict[str, exp.Expr] = {}
    residual: list[exp.Expr] = []
    for part in block.pool:
        if moves(part):
            residual.append(part)
        else:
            named = names(part)
            filters[text_of(named)] = named
    plans = tuple(plan_of(call, moves, names) for call in aggregates_of(block.select))
    if determines is not None:
        plans = _summed(block, plans)
    if determines is not None and spread is not None:
        _check_spread(residual, plans, spread, core.names)
    if block.null_extended:
        _check_null_extension(plans, core.names)
    distinct = [plan for plan in plans if plan.build is None]
    keys = group_keys(block.select)
    asked = [*residual, *(condition for plan in plans for condition in plan.conditions())]
    if spread is not None:
        asked = [part for each in asked for part in conjuncts(each) if not asks_spread(part, spread, core.names)]
    required = [*keys, *asked]
    for conditions in block.fixed.values():
        required += conditions
    exact_keys = required == keys and spread is None and not _has_grouping_sets(block.select) and block.shape == "whole"
    exact_keys = exact_keys and not any(literal_moves(key, is_flag) for key in keys)
    if exact_keys:
        # A key that is no dimension of its own (flag = 1) is coarser than what it is computed from.
        alone = choose_dimensions(keys, core.names, is_flag, raw_only=block.null_extended)
        exact_keys = set(alone) <= {text_of(names(key)) for key in keys}
    stored = distinct_stored and exact_keys and all(plan.distinct is not None for plan in distinct)
    if distinct and not stored:
        for plan in distinct:
            for part in plan.over_dimensions:
                required += [part] if spread is None else parts_beside(part, spread, core.names)
    dimensions = choose_dimensions(required, core.names, is_flag, raw_only=block.null_extended, by_steps=by_steps)
    if spread is not None and any(spread.text in map(text_of, columns_in(each)) for each in dimensions.values()):
        raise NotAnswerable("The column is asked for more than its values.")
    needs = Needs(
        block,
        filters,
        tuple(residual),
        dimensions,
        plans,
        exact_keys,
        bool(distinct) and stored,
        False,
        spread,
        determines,
    )
    if not needs.counts_apart(dimensions, ask=True):
        raise NotAnswerable("A value of a DISTINCT aggregate may stand in several groups.")
    fragile = any(map(may_fail, filters.values())) or any(map(may_fail, dimensions.values()))
    for each in needs.measures:
        expressions = [test.node for test in each.conditions] + ([each.argument] if each.argument is not None else [])
        fragile = fragile or any(may_fail(part) for part in expressions)
    if fragile and (residual or any(block.fixed.values())):
        # The query computes it only for rows that pass its filters; the table would compute it for all.
        raise NotAnswerable("An expression that may fail (a division, a cast) is guarded by a filter that moves.")
    return replace(needs, fragile=fragile)


def _summed(block: Block, plans: tuple[AggregatePlan, ...]) -> tuple[AggregatePlan, ...]:
    """The plans with every distinct count as a sum of the groups' own."""
    if not _stands_alone(block):
        raise NotAnswerable("The groups of a distinct count are joined with other rows.")
    found = [plan if plan.build is not None else plan.summed() for plan in plans]
    if all(plan.build is not None for plan in plans) or any(plan is None for plan in found):
        raise NotAnswerable("No distinct count is a sum of others.")
    return tuple(plan for plan in found if plan is not None)


def _stands_alone(block: Block) -> bool:
    return block.shape == "whole" and not (block.null_extended or block.others or any(block.fixed.values()))


def _check_spread(
    residual: list[exp.Expr], plans: tuple[AggregatePlan, ...], spread: Spread, names: dict[str, str]
) -> None:
    """Values of a spread column are no groups: a distinct count of some of them is no sum."""
    counts = [plan for plan in plans if plan.disjoint is not None]
    asked = [*residual, *(part for plan in counts for part in plan.conditions())]
    if any(asks_spread(part, spread, names) for each in asked for part in conjuncts(each)):
        raise NotAnswerable("A distinct count asks for values of a column that is kept as measures.")


def columns_in(node: exp.Expr) -> list[exp.Column]:
    """The columns of an expression."""
    return list(node.find_all(exp.Column))


def _check_null_extension(plans: tuple[AggregatePlan, ...], names: dict[str, str]) -> None:
    """Rows without a partner must count for nothing, as the missing rollup row does."""
    canonical_names = set(names.values())
    for plan in plans:
        if plan.build is None:
            if not is_null_without_partner(plan.over_dimensions[0], set(names)):
                raise NotAnswerable("A DISTINCT aggregate counts rows of an outer join that have no partner.")
            continue
        for part in plan.parts.values():
            for each in part.measures():
                value_is_null = each.argument is not None and is_null_without_partner(each.argument, canonical_names)
                # A condition on the missing side is not true there either.
                filtered = any(_is_test_of(test.node, canonical_names) for test in each.conditions)
                if not (value_is_null or filtered):
                    raise NotAnswerable("An aggregate counts rows of an outer join that have no partner.")
        if not all(_leaves_null(part) for part in plan.parts.values()):
            raise NotAnswerable("An aggregate counts rows of an outer join that have no partner.")


def _leaves_null(part: Part) -> bool:
    """Whether no case adds a constant: a sum of ELSE 0 is 0 where only partnerless rows are, not NULL."""
    return all(case.constant is None and (case.factor is None or case.guarded) for case in part.leaves())


def _is_test_of(condition: exp.Expr, names: set[str]) -> bool:
    case = exp.Case(ifs=[exp.If(this=condition.copy(), true=exp.Literal.number(1))])
    return is_null_without_partner(case, names)


def group_keys(select: exp.Select) -> list[exp.Expr]:
    """The expressions that a block groups by; all that it selects where nothing is aggregated."""
    group = select.args.get("group")
    if group is None:
        return [] if aggregates_of(select) else [item.unalias() for item in select.expressions]
    found: list[exp.Expr] = []
    waiting = list(reversed(_group_parts(group)))
    while waiting:
        key = unwrapped(waiting.pop())
        if isinstance(key, (exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple)):
            waiting.extend(reversed(key.expressions))
        else:
            found.append(key)
    return found


def _group_parts(group: exp.Expr) -> list[exp.Expr]:
    parts = list(group.expressions)
    for key in ("rollup", "cube", "grouping_sets"):
        value = group.args.get(key)
        parts += value if isinstance(value, list) else []
    return parts


def _has_grouping_sets(select: exp.Select) -> bool:
    group = select.args.get("group")
    return group is not None and any(
        isinstance(part, (exp.Rollup, exp.Cube, exp.GroupingSets)) for part in group.walk()
    )


def needs_an_empty_group(select: exp.Select) -> bool:
    """Whether some group may have no rows: no GROUP BY (or GROUP BY ()), or a grouping set () among others."""
    return not rows_make_groups(select) or _has_grouping_sets(select)
