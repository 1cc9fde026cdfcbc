"""Which dimensions a rollup needs, so that group keys, moving filters and join conditions can be computed from it."""

from __future__ import annotations

from decimal import Decimal

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.date_grains import RAW, finest, is_timestamp, truncated, use_of_date
from heavy_stack.backend.advisor.rules.rollup.literal_kinds import COMPARISONS, IsFlag, literal_moves
from heavy_stack.backend.advisor.rules.rollup.measures import stored_type, type_at
from heavy_stack.backend.advisor.rules.rollup.number_grains import columns_stepped, use_of_number
from heavy_stack.backend.advisor.rules.rollup.partial_values import may_fail
from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    canonical,
    columns_of,
    foreign_columns,
    is_case_branch,
    is_constant,
    own_nodes,
    terms,
    text_of,
    unwrapped,
)


def choose_dimensions(
    required: list[exp.Expr], names: dict[str, str], is_flag: IsFlag, *, raw_only: bool, by_steps: bool = False
) -> dict[str, exp.Expr]:
    """Dimensions by text, in canonical names, from which every expression of `required` can be computed.

    Args:
        required: Expressions of the block (block's names); columns of other sources may stand in them.
        names: The block's aliases of the core → canonical names.
        is_flag: Which columns are flags.
        raw_only: Only plain columns (the rollup stands on the side of an outer join that may have no partner; an
            expression there must be computed from the NULLs).
        by_steps: Keep a number that is only compared with round literals at a step of them (number_grains.py).

    Raises:
        NotAnswerable: A dimension's type cannot be stored, or it would be as fine as the rows.
    """
    chooser = _Chooser(names, is_flag, raw_only)
    for node in required:
        chooser.see_dates(node)
    chooser.settle_dates()
    if by_steps and not raw_only:
        for node in required:
            chooser.see_numbers(node)
        chooser.settle_numbers()
    for node in required:
        chooser.add(node)
    return chooser.without_derivable()


class _Chooser:
    def __init__(self, names: dict[str, str], is_flag: IsFlag, raw_only: bool) -> None:
        self.names, self.is_flag, self.raw_only = names, is_flag, raw_only
        self.aliases = frozenset(names)
        self.found: dict[str, exp.Expr] = {}
        self.dates: dict[str, tuple[exp.Column, list[str], bool]] = {}
        self.settled: dict[str, str] = {}
        self.numbers: dict[str, tuple[exp.Column, list[tuple[str, Decimal]]]] = {}
        self.raw_numbers: set[str] = set()
        self.by_step: set[str] = set()

    def see_dates(self, node: exp.Expr) -> None:
        """Note how each date column is used."""
        waiting = [node]
        while waiting:
            current = waiting.pop()
            use = use_of_date(current, self.aliases, designing=True)
            if use is not None:
                self._note(*use)
                continue
            if not isinstance(current, (exp.Column, exp.Predicate, exp.Connector)) and self._is_storable(current):
                continue  # it becomes a dimension of its own, and asks nothing of the column
            if isinstance(current, exp.Column):
                if current.table in self.aliases and (is_timestamp(current.type) or _is_date(current)):
                    self._note(current, RAW, False)
                continue
            if not isinstance(current, exp.Query):
                waiting.extend(current.iter_expressions())

    def _note(self, column: exp.Column, grain: str, compared: bool) -> None:
        key = text_of(canonical(column, self.names))
        known = self.dates.get(key)
        if known is None:
            self.dates[key] = (column, [grain], compared)
        else:
            self.dates[key] = (known[0], [*known[1], grain], known[2] or compared)

    def settle_dates(self) -> None:
        """A date that a filter compares becomes one dimension, at the finest grain that any use asks for."""
        for key, (column, grains, compared) in self.dates.items():
            if not compared:
                continue
            grain = RAW if self.raw_only else finest(grains)
            if grain == RAW and is_timestamp(column.type):
                raise NotAnswerable("A filter compares a timestamp at no whole minute: a group would hold few rows.")
            self.settled[key] = grain
            self._store(truncated(column, grain))

    def see_numbers(self, node: exp.Expr) -> None:
        """Note what each number column is compared with, and which ones are asked for themselves."""
        waiting = [node]
        while waiting:
            current = waiting.pop()
            use = use_of_number(current, self.aliases)
            if use is not None and not self.is_flag(use[0]):
                known = self.numbers.setdefault(self._key(use[0]), (use[0], []))
                known[1].extend(use[1])
            elif isinstance(current, (exp.Column, exp.Query)):
                self.raw_numbers.update(self._key(column) for column in columns_of(current, self.aliases))
            else:
                waiting.extend(current.iter_expressions())

    def settle_numbers(self) -> None:
        """A number that is only compared becomes one dimension, at a step of its literals."""
        compared = {key: use for key, use in self.numbers.items() if key not in self.raw_numbers}
        for key, node in columns_stepped(compared):
            self.by_step.add(key)
            self._store(node)

    def _key(self, column: exp.Column) -> str:
        return text_of(canonical(column, self.names))

    def add(self, node: exp.Expr) -> None:
        """Add what it takes to compute an expression."""
        bare = unwrapped(node)
        if not any(True for _ in columns_of(bare, self.aliases)):
            return
        use = use_of_date(bare, self.aliases)
        if use is not None and text_of(canonical(use[0], self.names)) in self.settled:
            return
        number = use_of_number(bare, self.aliases) if self.by_step else None
        if number is not None and self._key(number[0]) in self.by_step:
            return
        if isinstance(bare, exp.Query):
            # A subquery that looks outside itself does so column by column.
            for column in list(columns_of(bare, self.aliases)):
                self._store(column)
            return
        if isinstance(bare, exp.Column):
            key = text_of(canonical(bare, self.names))
            if key not in self.settled:
                self._store(bare)
            return
        if isinstance(bare, exp.Not):
            self.add(bare.this)
            return
        if isinstance(bare, exp.Connector):
            for term in terms(bare, exp.And if isinstance(bare, exp.And) else exp.Or):
                self.add(term)
            return
        if self._is_storable(bare):
            self._store(bare)
            return
        for child in bare.iter_expressions():
            if not is_constant(child):
                self.add(child)

    def _is_storable(self, node: exp.Expr) -> bool:
        """Whether the whole expression may be a dimension of its own."""
        if self.raw_only or literal_moves(node, self.is_flag) or foreign_columns(node, self.aliases):
            return False
        if not isinstance(node, exp.Condition) or is_case_branch(node):
            return False
        if isinstance(node, COMPARISONS) and not any(True for _ in self._columns_beside_flags(node)):
            return False  # a flag's own column serves every question about it
        if may_fail(node):
            return False  # the query computes it from the columns, for those groups that pass its filters
        try:
            stored_type(type_at(node))
        except NotAnswerable:
            return False
        return not any(isinstance(part, exp.AggFunc) for part in own_nodes(node))

    def _columns_beside_flags(self, node: exp.Expr) -> list[exp.Column]:
        return [column for column in columns_of(node, self.aliases) if not self.is_flag(column)]

    def _store(self, node: exp.Expr) -> None:
        stored_type(type_at(node))
        if isinstance(node, exp.Column) and is_timestamp(node.type) and not self.raw_only:
            raise NotAnswerable("The query needs single timestamps: a group would hold few rows.")
        named = canonical(node, self.names)
        self.found[text_of(named)] = named

    def without_derivable(self) -> dict[str, exp.Expr]:
        """The dimensions without those that plain columns among them give."""
        columns = {text for text, node in self.found.items() if isinstance(node, exp.Column)}
        kept: dict[str, exp.Expr] = {}
        for text, node in self.found.items():
            inside = {text_of(column) for column in node.find_all(exp.Column)}
            if isinstance(node, exp.Column) or not inside <= columns:
                kept[text] = node
        return kept


def _is_date(column: exp.Column) -> bool:
    kind = column.type
    return kind is not None and kind.this == exp.DType.DATE
