"""What a block needs from a rollup: filters that it may have passed, dimensions, measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.aggregates import AggregatePlan, plan_of
from heavy_stack.backend.advisor.rules.rollup.blocks import Block, rows_make_groups
from heavy_stack.backend.advisor.rules.rollup.dimensions import choose_dimensions
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
            wanted = [each.given([test]) for test in self.spread.tests for each in found.values()]
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
) -> Needs:
    """The needs of a block.

    Args:
        block: The block.
        is_flag_of: Which columns are flags.
        distinct_stored: Store distinct counts at exactly the keys where that is allowed.
        by_steps: Keep numbers that are only compared with round literals at a step of them.
        spread: A column to keep as measures, where the block only asks for values of it.

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
        block, filters, tuple(residual), dimensions, plans, exact_keys, bool(distinct) and stored, False, spread
    )
    fragile = any(map(may_fail, filters.values())) or any(map(may_fail, dimensions.values()))
    for each in needs.measures:
        expressions = [test.node for test in each.conditions] + ([each.argument] if each.argument is not None else [])
        fragile = fragile or any(may_fail(part) for part in expressions)
    if fragile and (residual or any(block.fixed.values())):
        # The query computes it only for rows that pass its filters; the table would compute it for all.
        raise NotAnswerable("An expression that may fail (a division, a cast) is guarded by a filter that moves.")
    return replace(needs, fragile=fragile)


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
