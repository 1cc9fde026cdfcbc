"""How many rows a rollup would have: counted by the engine where one is reachable, else guessed from types."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Table, TableFacts
from heavy_stack.backend.advisor.ports import Deadline, EngineFacts
from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.measures import type_at
from heavy_stack.backend.advisor.rules.rollup.rollups import Rollup
from heavy_stack.backend.advisor.rules.rollup.trees import text_of
from heavy_stack.backend.advisor.sql.printing import trino_sql

TEXT_BYTES = 8.0
MAX_TEXT_BYTES = 64.0
TEXT_ABOVE = 1.5
COUNT_LIMIT_S = 60.0
"""Counting groups may take so long in all, and at most a tenth of the task's time."""
SAMPLE_ROWS = 200_000
SATURATED = 0.5
"""A sample of which so large a share are groups says only that there are many."""
FEW_GROUPS = 2_000
"""Where there are no more combinations of values than this, a table is small whatever the count."""
CLEARLY_MANY = 0.2
"""A column with so many values, as a share of the source's rows, makes more groups than a rollup may have (a tenth),
also where the joins lose some."""

# Without statistics only the order of these matters: which of two dimensions is likely to multiply the rows more.
_GUESSES = {"boolean": 3.0, "date": 1500.0, "integer": 60.0, "bigint": 2000.0, "double": 400.0, "varchar": 200.0}
_PART_GUESSES: dict[type[exp.Expr], float] = {
    exp.Year: 8.0,
    exp.Quarter: 4.0,
    exp.Month: 12.0,
    exp.Day: 31.0,
    exp.DayOfMonth: 31.0,
    exp.DayOfWeek: 7.0,
    exp.DayOfWeekIso: 7.0,
    exp.Hour: 24.0,
}
_TRUNC_GUESSES = {"YEAR": 8.0, "QUARTER": 30.0, "MONTH": 90.0, "WEEK": 350.0, "DAY": 1500.0, "HOUR": 30000.0}


class Sizes:
    """Row counts of rollups, asked in batches and remembered.

    Args:
        facts: Statistics by full table name.
        engine: Counts groups; None without an engine.
        deadline: The task's.
    """

    def __init__(self, facts: Mapping[str, TableFacts], engine: EngineFacts | None, deadline: Deadline) -> None:
        self._facts = facts
        self._engine = engine
        self._left_s = min(COUNT_LIMIT_S, deadline.left_s() / 10) if engine is not None else 0.0
        self._deadline = deadline
        self._counted: dict[str, int | None] = {}
        self._sampled: dict[str, int | None] = {}
        self._estimated: dict[str, int] = {}
        self._values_of: dict[tuple[str, str], float] = {}
        # Cores of which a count did not end in time (joins that multiply rows): their rollups are estimated.
        self._too_dear: set[str] = set()

    def core_rows(self, core: Core) -> int | None:
        """Rows of the core's largest table; None where unknown."""
        known = [self._facts[str(name)].rows for name in core.table_names if str(name) in self._facts]
        rows = [count for count in known if count is not None]
        return max(rows) if len(rows) == len(core.table_names) else None

    def distinct_rows(self, select: str) -> int | None:
        """Number of distinct rows of a SELECT, counted by the engine; None without one, or when the time is up."""
        if self._engine is None or self._left_s <= 0:
            return None
        before = self._deadline.left_s()
        found = self._engine.count_groups({"": select}, limit_s=self._left_s)
        self._left_s -= max(0.0, before - self._deadline.left_s())
        return found.get("")

    def sampled_groups(self, selects: Mapping[str, str]) -> Mapping[str, int | None]:
        """Number of distinct rows of SELECTs on a sample; nothing without an engine, or when the time is up."""
        if self._engine is None or self._left_s <= 0:
            return {}
        before = self._deadline.left_s()
        found = self._engine.count_groups(selects, limit_s=self._left_s, sample_rows=SAMPLE_ROWS)
        self._left_s -= max(0.0, before - self._deadline.left_s())
        return found

    def time_left_s(self) -> float:
        """Seconds left for the whole task."""
        return self._deadline.left_s()

    def knows(self, name: str) -> bool:
        """Whether the rows of a table of the DDL are known."""
        facts = self._facts.get(name)
        return facts is not None and facts.rows is not None

    def table_rows(self, name: str) -> float:
        """Rows of a table of the DDL; 1 where unknown, so that tables count by how often they are read."""
        facts = self._facts.get(name)
        return float(facts.rows) if facts is not None and facts.rows is not None else 1.0

    def count(self, rollups: list[Rollup], *, filtered: bool = True) -> bool:
        """Have the engine count the groups of all these, in one go; False where there was nothing to ask or no time.

        Args:
            rollups: Whose groups.
            filtered: Only the groups that the rollup's own filters leave; else all groups, which the engine counts for
                many rollups in one scan.
        """
        if self._engine is None or self._left_s <= 0:
            return False
        asked: dict[str, str] = {}
        cores: dict[str, str] = {}
        for rollup in rollups:
            if rollup.core.key in self._too_dear or self.was_asked(rollup) or self._is_certain(rollup):
                continue
            key = _key(rollup, filtered)
            if len(rollup.core.tables) > 1:
                cores[key] = rollup.core.key
            asked[key] = trino_sql(rollup.keys_select(filtered=filtered))
        if not asked:
            return False
        before = self._deadline.left_s()
        self._counted.update(dict.fromkeys(asked))
        counted = self._engine.count_groups(asked, limit_s=self._left_s)
        self._counted.update(counted)
        self._too_dear |= {core for key, core in cores.items() if counted.get(key) is None}
        self._left_s -= max(0.0, before - self._deadline.left_s())
        return True

    def sample(self, rollups: Iterable[Rollup]) -> bool:
        """Have the engine count the groups of all these on a sample; False where there was nothing to ask or no time.

        One scan serves many, so this tells which tables could be shared before any of them is counted in full.
        """
        if self._engine is None or self._left_s <= 0:
            return False
        asked = {
            _key(rollup, False): trino_sql(rollup.keys_select(filtered=False))
            for rollup in rollups
            if rollup.dimensions and rollup.core.key not in self._too_dear and _key(rollup, False) not in self._sampled
        }
        if not asked:
            return False
        before = self._deadline.left_s()
        self._sampled.update(dict.fromkeys(asked))
        self._sampled.update(self._engine.count_groups(asked, limit_s=self._left_s, sample_rows=SAMPLE_ROWS))
        self._left_s -= max(0.0, before - self._deadline.left_s())
        return True

    def was_sampled(self, rollup: Rollup) -> bool:
        """Whether sampling it again would tell nothing new."""
        return not rollup.dimensions or _key(rollup, False) in self._sampled

    def merged_rows(self, merged: Rollup, one: Rollup, two: Rollup) -> float:
        """The rows of a table that holds two others.

        Counted, or grown from the larger one as much as their groups grow on the sample; what the sample cannot tell
        apart is taken for independent. Without one: halfway between what both have at least and that.
        """
        if self.is_counted(merged):
            return self.guess(merged)
        low = max(self.guess(one), self.guess(two))
        high = max(low, min(self.guess(one) * self.guess(two), self._most(merged)))
        counts = [self._sampled.get(_key(each, False)) if each.dimensions else 1 for each in (one, two, merged)]
        known = [count for count in counts if count is not None]
        if len(known) == 3 and known[2] > SATURATED * SAMPLE_ROWS:
            found = high
        elif len(known) == 3:
            # The more groups the sample holds for its rows, the more of them it has not seen.
            growth = known[2] / max(1, known[0], known[1])
            found = min(high, max(low, low * growth / (1 - known[2] / SAMPLE_ROWS)))
        else:
            found = math.sqrt(low * high)
        self._estimated[_key(merged, False)] = int(found)
        return found

    def was_asked(self, rollup: Rollup) -> bool:
        """Whether counting it again would tell nothing new."""
        return not rollup.dimensions or _key(rollup, True) in self._counted or _key(rollup, False) in self._counted

    def _is_certain(self, rollup: Rollup) -> bool:
        """Whether statistics alone say enough: few groups at most, or far more than a rollup may have."""
        source = self.core_rows(rollup.core)
        if source is None:
            return False
        known = [self._known_values(rollup.core, node) for node in rollup.dimensions.values()]
        if all(count is not None for count in known) and math.prod(count or 1 for count in known) <= FEW_GROUPS:
            return True
        if rollup.common:
            return False
        own = [node for node in rollup.dimensions.values() if isinstance(node, exp.Column)]
        return any((self._distinct(rollup.core, node) or 0) > CLEARLY_MANY * source for node in own)

    def _known_values(self, core: Core, node: exp.Expr) -> int | None:
        """The values of a plain column; None for expressions and without statistics."""
        return self._distinct(core, node) if isinstance(node, exp.Column) else None

    def take_over(self, merged: Rollup, one: Rollup) -> None:
        """`merged` has the dimensions of `one`, so at least its groups; filters that differ seldom add any."""
        if self._counted_rows(merged) is None and self._counted_rows(one) is not None:
            self._counted[_key(merged, False)] = self._counted_rows(one)

    def is_counted(self, rollup: Rollup) -> bool:
        """Whether the engine's count is known."""
        return not rollup.dimensions or self._counted_rows(rollup) is not None

    def _counted_rows(self, rollup: Rollup) -> int | None:
        counted = self._counted.get(_key(rollup, True))
        return self._counted.get(_key(rollup, False)) if counted is None else counted

    def rows(self, rollup: Rollup) -> int | None:
        """Counted rows, or the estimate from column statistics; None without statistics."""
        if not rollup.dimensions:
            return 1
        counted = self._counted_rows(rollup)
        if counted is not None:
            return counted
        core_rows = self.core_rows(rollup.core)
        if core_rows is None:
            return None
        estimated = self._estimated.get(_key(rollup, False))
        if estimated is not None:
            return max(1, min(core_rows, estimated))
        return max(1, int(self._most(rollup)))

    def _most(self, rollup: Rollup) -> float:
        """The rows if all dimensions were independent; no more than the source has, where that is known."""
        product = 1.0
        for text, node in rollup.dimensions.items():
            key = (rollup.core.key, text)
            if key not in self._values_of:
                self._values_of[key] = self._values(rollup.core, node)
            product *= self._values_of[key]
        core_rows = self.core_rows(rollup.core)
        return min(product, 1e15) if core_rows is None else min(product, float(core_rows))

    def guess(self, rollup: Rollup) -> float:
        """The rows where they are known, else a guess that only serves to compare rollups."""
        rows = self.rows(rollup)
        if rows is not None:
            return float(rows)
        return self._most(rollup)

    def text_width(self, core: Core, node: exp.Expr) -> float:
        """Bytes of one value of a text dimension: a column's share of its table's bytes, texts above the average."""
        column = next(node.find_all(exp.Column), None)
        table = core.tables.get(column.table) if column is not None else None
        known = self._facts.get(str(table.name)) if table is not None else None
        if table is None or known is None or not known.rows or not known.bytes:
            return TEXT_BYTES
        return min(MAX_TEXT_BYTES, max(1.0, TEXT_ABOVE * known.bytes / known.rows / len(table.columns)))

    def order_of(self, core: Core, node: exp.Expr) -> float:
        """How many values a dimension is likely to have."""
        return self._values(core, node)

    def _values(self, core: Core, node: exp.Expr) -> float:
        guess = _guess(node)
        columns = list(node.find_all(exp.Column))
        known = [self._distinct(core, column) for column in columns]
        numbers = [count for count in known if count is not None]
        if not columns or len(numbers) != len(columns):
            return guess
        product = float(math.prod(numbers))
        return product if isinstance(node, exp.Column) else max(1.0, min(guess, product))

    def distinct_counts(self, table: Table) -> list[int]:
        """How many values the columns of a table have, as far as that is known."""
        facts = self._facts.get(str(table.name))
        columns = facts.columns.values() if facts is not None else ()
        return [each.distinct for each in columns if each.distinct is not None]

    def values(self, core: Core, node: exp.Expr) -> tuple[str, ...]:
        """All values of a column where they are few and known, as text; none otherwise."""
        table = core.tables.get(node.table) if isinstance(node, exp.Column) else None
        facts = self._facts.get(str(table.name)) if table is not None else None
        columns = facts.columns if facts is not None else {}
        return next((each.values or () for name, each in columns.items() if name.lower() == node.name.lower()), ())

    def column_values(self, core: Core, column: exp.Column) -> int | None:
        """How many values a column of the core has, NULL being one; None without statistics."""
        return self._distinct(core, column)

    def _distinct(self, core: Core, column: exp.Column) -> int | None:
        table = core.tables.get(column.table)
        facts = self._facts.get(str(table.name)) if table is not None else None
        if facts is None:
            return None
        by_name = {name.lower(): column_facts for name, column_facts in facts.columns.items()}
        found = by_name.get(column.name.lower())
        if found is None or found.distinct is None:
            return None
        return found.distinct + (1 if found.nulls else 0)


def _key(rollup: Rollup, filtered: bool) -> str:
    common = sorted(rollup.common) if filtered else []
    return "\n".join([rollup.core.key, *common, "", *sorted(rollup.dimensions)])


def _guess(node: exp.Expr) -> float:
    if isinstance(node, exp.TimestampTrunc):
        unit = node.args.get("unit")
        return _TRUNC_GUESSES.get(str(unit.name).upper() if isinstance(unit, exp.Expr) else "", 1500.0)
    if type(node) in _PART_GUESSES:
        return _PART_GUESSES[type(node)]
    if isinstance(node, exp.Case):
        return float(len(node.args["ifs"]) + 1)
    if isinstance(node, exp.Extract):
        return {"YEAR": 8.0, "QUARTER": 4.0, "MONTH": 12.0, "DOW": 7.0}.get(node.this.name.upper(), 31.0)
    kind = type_at(node)
    guess = _GUESSES.get(kind.base if kind is not None else "", 1000.0)
    return guess if isinstance(node, exp.Column) else min(guess, 200.0)


def describe(rollup: Rollup) -> str:
    """The dimensions in words."""
    return ", ".join(text_of(node).replace('"', "") for node in rollup.dimensions.values()) or "the whole table"
