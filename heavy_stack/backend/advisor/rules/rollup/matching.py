"""Whether a table that exists (or is proposed) answers a block, also one that nobody sent when it was designed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import dataclass, field

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate, TableName
from heavy_stack.backend.advisor.rules.rollup.date_grains import GRAINS, covers, truncated, use_of_date
from heavy_stack.backend.advisor.rules.rollup.measures import Measure, type_at
from heavy_stack.backend.advisor.rules.rollup.needs import Needs
from heavy_stack.backend.advisor.rules.rollup.number_grains import (
    STEPPED_KINDS,
    forms_for,
    stepped,
    steps_of,
    use_of_number,
)
from heavy_stack.backend.advisor.rules.rollup.over_dimensions import from_dimensions
from heavy_stack.backend.advisor.rules.rollup.rollups import DIMENSION
from heavy_stack.backend.advisor.rules.rollup.spread_values import asked_values, together, value_test
from heavy_stack.backend.advisor.rules.rollup.stored_parts import Lookup
from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    aliases_within,
    canonical,
    columns_of,
    conjuncts,
    copied,
    is_case_branch,
    joined,
    rebuilt,
    terms,
    text_of,
    unwrapped,
)
from heavy_stack.backend.advisor.sql.printing import cast_to

SHOWN_CHARS = 200


@dataclass(frozen=True, eq=False)
class Chosen:
    """Values of a spread column, by their texts: only rows with one of them count."""

    column: exp.Column
    text: str
    values: Mapping[str, exp.Literal]

    def within(self, other: Chosen) -> Chosen:
        """The values that both have."""
        return Chosen(self.column, self.text, {key: each for key, each in self.values.items() if key in other.values})

    def without(self, other: Chosen) -> Chosen:
        """The values that the other one has not."""
        kept = {key: each for key, each in self.values.items() if key not in other.values}
        return Chosen(self.column, self.text, kept)


@dataclass(frozen=True)
class StoredTable:
    """A rollup as it stands: what its columns hold, by the text of their expressions.

    Attributes:
        candidate: Its id.
        name: Its full name.
        core: The key of its core.
        common: The filters that all its rows have passed.
        columns: Expression text → (column, Trino type).
        dimensions: The texts of the dimensions.
        rows: Counted or estimated; None where unknown.
        spread: The texts of columns that are kept as one measure for every value.
        determined: (argument of a distinct count, dimension), where each value of the one has one of the other → the
            condition (name, SQL) that says so.
        kinds: Of the dimensions that are no plain columns, the names of their outermost kinds of expression.
    """

    candidate: str
    name: TableName
    core: str
    common: frozenset[str]
    columns: dict[str, tuple[str, str]]
    dimensions: frozenset[str]
    rows: int | None
    kinds: frozenset[str] = frozenset()
    spread: frozenset[str] = frozenset()
    determined: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    @property
    def weight(self) -> float:
        """For choosing among several that fit: rows where they are known, else the number of dimensions."""
        return float(self.rows if self.rows is not None else len(self.dimensions))


def stored_table(candidate: Candidate, name: TableName) -> StoredTable:
    """The table of a candidate under its name."""
    dimensions = [column for column in candidate.columns if column.role == DIMENSION]
    return StoredTable(
        candidate=candidate.id,
        name=name,
        core=str(candidate.evidence.get("core", "")),
        common=frozenset(str(text) for text in candidate.evidence.get("filters", ())),
        columns={column.sql: (column.name, column.type) for column in candidate.columns},
        dimensions=frozenset(column.sql for column in dimensions),
        rows=candidate.rows,
        kinds=frozenset(str(kind) for kind in candidate.evidence.get("kinds", ())),
        spread=frozenset(str(text) for text in candidate.evidence.get("spread", ())),
        determined={(one, two): (name, sql) for one, two, name, sql in candidate.evidence.get("determined", ())},
    )


class TableLookup:
    """A block's expressions over a stored table, read under `alias`.

    Attributes:
        residual: Filters of the block that the rewritten query must ask of the table's dimensions.
        open: The block's moving filters that it must ask of them too; the others choose values of a spread column.
        flag: The condition that a group has rows of the block at all; None where every group has.
        conditions: What the answers rest on: (name, SQL that returns no row).
    """

    def __init__(
        self,
        needs: Needs,
        table: StoredTable,
        alias: str,
        replaced: Mapping[int, exp.Select],
        *,
        prefer_dimensions: bool = False,
    ) -> None:
        """Raises NotAnswerable where the table's rows are not the block's."""
        self.needs, self.table, self.alias = needs, table, alias
        self.replaced = replaced
        self.aliases = needs.block.aliases
        self.answers: dict[int, exp.Expr] = {}
        self.conditions: dict[str, str] = {}
        if needs.block.core.key != table.core:
            raise NotAnswerable("The table stands for other tables.")
        if not table.common <= set(needs.filters):
            more = " AND ".join(sorted(table.common - set(needs.filters)))
            raise NotAnswerable(f"{table.name.name} has only the rows where {_cut(more)}; the query reads others.")
        extra = {text: node for text, node in needs.filters.items() if text not in table.common}
        self.residual: list[exp.Expr] = []
        asked_of_dimensions: set[str] = set()
        for text, node in extra.items():
            asked = self._asked_of_dimensions(node) if prefer_dimensions else None
            if asked is not None:
                self.residual.append(asked)
                asked_of_dimensions.add(text)
        # What is asked of the dimensions, or has passed the table's own filter, is no condition of a measure.
        self.dropped = table.common | asked_of_dimensions
        self._chosen: Chosen | None = None
        self.open: list[exp.Expr] = []
        for part in needs.residual:
            if not self._choose(part):
                self.open.append(part)
        self.flag: exp.Expr | None = None
        # A table without dimensions has its one row also where nothing stands for it.
        always_there = not table.dimensions and needs.block.has_groups
        if always_there or self._chosen is not None or set(needs.filters) - self.dropped:
            self.flag = exp.GT(this=self._stored(needs.row_count), expression=exp.Literal.number(0))

    def column(self, wanted: Measure) -> exp.Expr:
        """The column that stores a measure of the block's rows; raises NotAnswerable when there is none."""
        return self._stored(wanted.given(self.needs.tests))

    def rows(self) -> exp.Expr:
        """How many of the block's rows a group has; raises NotAnswerable where they are not counted."""
        return self._stored(self.needs.row_count)

    def asks_spread(self, conditions: Iterable[exp.Expr]) -> bool:
        """Whether rows are chosen by values of a spread column, by the block or by these conditions of it."""
        return self._chosen is not None or any(self._asked_spread(part) for part in conditions)

    def narrowed(self, condition: exp.Expr, taken: Sequence[Lookup]) -> tuple[Lookup, list[exp.Expr]] | None:
        """The table's measures of only those rows that have certain values of a spread column; see `Lookup`."""
        narrow = copy(self)
        others = [part for part in conjuncts(condition) if not narrow._choose(part)]
        if narrow._chosen is self._chosen:
            return None
        for other in taken:
            if isinstance(other, TableLookup) and other._chosen is not None and narrow._chosen is not None:
                narrow._chosen = narrow._chosen.without(other._chosen)
        return narrow, [self.derived(part) for part in others]

    def _choose(self, condition: exp.Expr) -> bool:
        """Take in a condition that asks for values of a spread column; False where it is none."""
        found = self._asked_spread(condition)
        if found is None:
            return False
        column, values = found
        text = text_of(column)
        if self._chosen is not None and self._chosen.text != text:
            return False  # rows are counted by the values of one column at a time
        wanted = Chosen(column, text, {text_of(value): value for value in values})
        self._chosen = wanted if self._chosen is None else self._chosen.within(wanted)
        return True

    def _asked_spread(self, condition: exp.Expr) -> tuple[exp.Column, tuple[exp.Literal, ...]] | None:
        found = asked_values(condition) if self.table.spread and not self.needs.block.null_extended else None
        if found is None:
            return None
        column = canonical(found[0], self.needs.block.core.names)
        text = text_of(column)
        if text not in self.table.spread or text in self.table.dimensions or not isinstance(column, exp.Column):
            return None
        return column, found[1]

    def _stored(self, wanted: Measure) -> exp.Expr:
        if self._chosen is None:
            return self._column(wanted)
        tests = [value_test(self._chosen.column, value) for value in self._chosen.values.values()]
        return together(wanted.function, [self._column(wanted.given([test])) for test in tests])

    def _column(self, wanted: Measure) -> exp.Expr:
        kept = wanted.without(self.dropped)
        found = self.table.columns.get(kept.text)
        if found is not None:
            return exp.column(found[0], table=self.alias, quoted=True)
        given = None if self.needs.block.null_extended else self._over_dimensions(kept)
        if given is None:
            raise NotAnswerable(f"{self.table.name.name} holds no measure {_cut(kept.text)}.")
        return given

    def _over_dimensions(self, wanted: Measure) -> exp.Expr | None:
        def derived(node: exp.Expr) -> exp.Expr:
            return self._derived(node, frozenset(self.needs.block.core.tables), canonical_names=True)

        # Where the groups without any of the block's rows are filtered out, each one left has some.
        asked = set(self.needs.filters) if self.flag is not None else set()
        has_rows = {test.text for test in wanted.conditions} <= asked
        return from_dimensions(wanted, self.table.dimensions, self._column, derived, has_rows=has_rows)

    def _asked_of_dimensions(self, node: exp.Expr) -> exp.Expr | None:
        try:
            return self._derived(node, frozenset(self.needs.block.core.tables), canonical_names=True)
        except NotAnswerable:
            return None

    def exact_keys(self) -> bool:
        """Whether the table's groups are exactly the block's, so that stored distinct counts are its own."""
        needs = self.needs
        return needs.exact_keys and not self.residual and self.table.dimensions == set(needs.dimensions)

    def derived(self, node: exp.Expr) -> exp.Expr:
        """An expression of the block over the table; raises NotAnswerable when the dimensions do not give it."""
        return self._derived(node, self.aliases, canonical_names=False)

    def _derived(self, node: exp.Expr, aliases: AbstractSet[str], *, canonical_names: bool) -> exp.Expr:
        answered = self.answers.get(id(node))
        if answered is not None:
            return answered.copy()
        node = self.replaced.get(id(node), node)
        if not self._speaks(node, aliases):
            return copied(node, self.replaced)
        if not isinstance(node, exp.Query):
            stored = (
                self._dimension(node, canonical_names)
                or self._by_date(node, aliases, canonical_names)
                or self._by_step(node, aliases, canonical_names)
            )
            if stored is not None:
                return stored
        if isinstance(node, exp.Column):
            raise NotAnswerable(f"{self.table.name.name} has no dimension {_cut(node.name)}.")
        if isinstance(node, (exp.And, exp.Or)):
            kind = exp.And if isinstance(node, exp.And) else exp.Or
            return joined(
                [self._derived(term, aliases, canonical_names=canonical_names) for term in terms(node, kind)], kind
            )
        visible = aliases
        if isinstance(node, (exp.Select, exp.SetOperation, exp.Subquery)):
            visible = aliases - aliases_within(node)
        return rebuilt(node, lambda child: self._derived(child, visible, canonical_names=canonical_names))

    def _speaks(self, node: exp.Expr, aliases: AbstractSet[str]) -> bool:
        if any(True for _ in columns_of(node, aliases)):
            return True
        return bool(self.answers) and any(id(part) in self.answers for part in node.walk())

    def _dimension(self, node: exp.Expr, canonical_names: bool) -> exp.Expr | None:
        bare = unwrapped(node)
        if not isinstance(bare, exp.Column) and type(bare).__name__ not in self.table.kinds:
            return None
        if is_case_branch(bare):
            return None
        text = text_of(canonical(node, {} if canonical_names else self.needs.block.core.names))
        found = self.table.columns.get(text) if text in self.table.dimensions else None
        if found is None:
            return None
        if self.needs.block.null_extended and not isinstance(unwrapped(node), exp.Column):
            return None  # without a partner the column is NULL, the expression need not be
        return self._typed(found, node)

    def _typed(self, found: tuple[str, str], node: exp.Expr) -> exp.Expr:
        column = exp.column(found[0], table=self.alias, quoted=True)
        kind = type_at(node)
        column.type = node.type
        return column if kind is None or str(kind) == found[1] else cast_to(column, str(kind))

    def _by_date(self, node: exp.Expr, aliases: AbstractSet[str], canonical_names: bool) -> exp.Expr | None:
        use = use_of_date(node, aliases)
        if use is None or self.needs.block.null_extended:
            return None
        column, asked, _ = use
        for grain in GRAINS:
            if not covers(grain, asked):
                continue
            wanted = truncated(column, grain)
            text = text_of(canonical(wanted, {} if canonical_names else self.needs.block.core.names))
            found = self.table.columns.get(text) if text in self.table.dimensions else None
            if found is not None:
                return _with_column(node, column, self._typed(found, column))
        return None

    def _by_step(self, node: exp.Expr, aliases: AbstractSet[str], canonical_names: bool) -> exp.Expr | None:
        use = use_of_number(node, aliases) if self.table.kinds & STEPPED_KINDS else None
        if use is None or self.needs.block.null_extended:
            return None
        column, compared = use
        for step in reversed(steps_of(value for _, value in compared)):
            for form in forms_for(compared):
                wanted = canonical(stepped(column, step, form), {} if canonical_names else self.needs.block.core.names)
                found = self.table.columns.get(text_of(wanted))
                if found is not None:
                    return _with_column(node, column, self._typed(found, column))
        return None


def _cut(text: str) -> str:
    """Written by the client, so of any length; a reason is one line."""
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"


def _with_column(node: exp.Expr, column: exp.Column, value: exp.Expr) -> exp.Expr:
    """A copy of `node` with the one use of `column` in it replaced."""

    def change(child: exp.Expr) -> exp.Expr:
        return value.copy() if child is column else rebuilt(child, change)

    return change(node)
