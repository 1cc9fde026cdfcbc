"""The choice as numbers: what each table costs, what each text gains from it, and how good a design is.

`worth` is what is maximised: √(ΣQA/ΣQT · √(x · g)) · ∛(S/(S+C)) with x = Σ(Q·A/T)/ΣQ, and g the geometric mean of
the same ratios. The field's score uses x alone; x is a mean of ratios, and a design could serve it by making a few
short queries very short while all others stay. The ratio of the total times asks for the long ones, g for as many as
possible.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from heavy_stack.backend.advisor.rules.costs import FLOOR_S, is_faster

WORTH_IT = 0.95
"""A text counts as answered where at most this share of its work is left, planning aside; measuring decides more
strictly, and on the engine's own floor."""


@dataclass(frozen=True)
class Block:
    """A SELECT of a text: its seconds as it stands, and on each table that answers it, by the table's index."""

    before_s: float
    after_s: Mapping[int, float]


@dataclass(frozen=True)
class Demand:
    """Texts of one shape and their blocks.

    Attributes:
        texts: Indexes.
        weight: Their runs, ΣQ.
        total_s: Seconds of one of them as it stands, all its blocks included.
        blocks: Those that some table answers.
    """

    texts: tuple[int, ...]
    weight: float
    total_s: float
    blocks: tuple[Block, ...]

    def seconds(self, chosen: Collection[int]) -> float:
        """Its seconds on these tables; as it stands where they gain it too little."""
        spent = self.total_s
        for before_s, offers in self._fastest_first:
            for after_s, table in offers:
                if table in chosen:
                    spent -= max(0.0, before_s - after_s)
                    break
        return spent if self.is_worth(spent) else self.total_s

    def scaled(self, factor: float) -> Demand:
        """The same with all its seconds so many times as long."""
        blocks = tuple(
            Block(block.before_s * factor, {table: after * factor for table, after in block.after_s.items()})
            for block in self.blocks
        )
        return replace(self, total_s=self.total_s * factor, blocks=blocks)

    def on(self, tables: Collection[int]) -> Demand:
        """The same with no other tables than these on offer."""
        blocks = (
            Block(block.before_s, {table: after for table, after in block.after_s.items() if table in tables})
            for block in self.blocks
        )
        return replace(self, blocks=tuple(block for block in blocks if block.after_s))

    @cached_property
    def _fastest_first(self) -> tuple[tuple[float, tuple[tuple[float, int], ...]], ...]:
        """By block: its seconds, and the tables that answer it from the fastest on."""
        return tuple(
            (block.before_s, tuple(sorted((after, table) for table, after in block.after_s.items())))
            for block in self.blocks
        )

    def is_worth(self, seconds: float) -> bool:
        """Whether these seconds are enough of a gain for an answer from other tables."""
        return seconds - FLOOR_S <= WORTH_IT * (self.total_s - FLOOR_S) and seconds < self.total_s

    @cached_property
    def tables(self) -> frozenset[int]:
        """Every table that answers one of its blocks."""
        return frozenset(table for block in self.blocks for table in block.after_s)


@dataclass(frozen=True)
class Way:
    """Tables that answer a text together, and its seconds with them."""

    tables: frozenset[int]
    seconds: float


@dataclass(frozen=True)
class TimedDemand(Demand):
    """Texts of one shape for one of which the ways to answer it were run, the fastest first."""

    ways: tuple[Way, ...] = ()

    def seconds(self, chosen: Collection[int]) -> float:
        """Its seconds on these tables, as measured."""
        way = self.way(chosen)
        return self.total_s if way is None else way.seconds

    def way(self, chosen: Collection[int]) -> Way | None:
        """The way that is taken on these tables; None where it stays as it stands."""
        tables = frozenset(chosen)
        return next((way for way in self.ways if way.tables <= tables and self.is_worth(way.seconds)), None)

    def is_worth(self, seconds: float) -> bool:
        """Whether a rewrite so much faster would be sent."""
        return is_faster(self.total_s, seconds)

    @cached_property
    def tables(self) -> frozenset[int]:
        """Every table of its ways."""
        return frozenset(table for way in self.ways for table in way.tables)


@dataclass(frozen=True)
class Limits:
    """What a design may take; None where nothing limits it."""

    tables: int
    bytes: float | None = None
    build_s: float | None = None


@dataclass(frozen=True)
class Design:
    """A choice of tables and what it is worth, by estimates."""

    tables: frozenset[int]
    bytes: float
    x: float
    geometric: float
    sum_ratio: float
    y_total: float

    @property
    def z_total(self) -> float:
        """The field's score with the client's tables kept."""
        return float(self.x * self.y_total ** (1 / 3))

    @property
    def worth(self) -> float:
        """What is maximised."""
        return math.sqrt(self.sum_ratio * math.sqrt(self.x * self.geometric)) * math.cbrt(self.y_total)


@dataclass(frozen=True)
class Problem:
    """Everything that decides.

    Attributes:
        bytes: By table; estimates.
        build_s: By table: seconds to fill it.
        demands: The texts that some table answers.
        rest_weight, rest_s: Runs of all other texts, and the seconds of all these runs.
        storage: S, bytes of the client's tables.
        limits: What a design may take.
        columns: What is no table but a column of one, and of which. It has bytes, and is needed like a table.
    """

    bytes: tuple[float, ...]
    build_s: tuple[float, ...]
    demands: tuple[Demand, ...]
    rest_weight: float
    rest_s: float
    storage: float
    limits: Limits
    columns: Mapping[int, int] = field(default_factory=dict)

    def count(self, tables: Collection[int]) -> int:
        """How many tables these are, columns aside."""
        return sum(table not in self.columns for table in tables) if self.columns else len(tables)

    def with_columns(self, table: int) -> frozenset[int]:
        """A table and the columns of it that may be chosen."""
        return self._with_columns.get(table, frozenset((table,)))

    @cached_property
    def _with_columns(self) -> dict[int, frozenset[int]]:
        found: dict[int, set[int]] = {}
        for column, table in self.columns.items():
            found.setdefault(table, {table}).add(column)
        return {table: frozenset(each) for table, each in found.items()}

    def fits(self, tables: Collection[int], max_bytes: float | None = None) -> bool:
        """Whether a design keeps within the limits, and within `max_bytes` where given."""
        limits = self.limits
        size = self.size(tables)
        return (
            self.count(tables) <= limits.tables
            and (limits.bytes is None or size <= limits.bytes)
            and (max_bytes is None or size <= max_bytes)
            and (limits.build_s is None or sum(self.build_s[table] for table in tables) <= limits.build_s)
        )

    def size(self, tables: Iterable[int]) -> float:
        """Bytes of these tables."""
        return math.fsum(self.bytes[table] for table in tables)  # the same in any order

    def design(self, tables: Iterable[int]) -> Design:
        """These tables with their figures."""
        chosen = frozenset(tables)
        return self.priced(chosen, [demand.seconds(chosen) for demand in self.demands])

    def priced(self, chosen: frozenset[int], seconds: list[float]) -> Design:
        """The design whose demands take these seconds, in their order."""
        weight, ratios, before, after = self.rest_weight, self.rest_weight, self.rest_s, self.rest_s
        logs = 0.0
        for demand, spent in zip(self.demands, seconds, strict=True):
            weight += demand.weight
            ratios += demand.weight * demand.total_s / spent
            logs += demand.weight * math.log(demand.total_s / spent)
            before += demand.weight * demand.total_s
            after += demand.weight * spent
        size = self.size(chosen)
        return Design(
            tables=chosen,
            bytes=size,
            x=ratios / weight if weight > 0 else 1.0,
            geometric=math.exp(logs / weight) if weight > 0 else 1.0,
            sum_ratio=before / after if after > 0 else 1.0,
            y_total=self.storage / (self.storage + size) if self.storage > 0 else 1.0,
        )

    def answered(self, tables: Collection[int]) -> frozenset[int]:
        """Places of the demands that these tables answer well enough."""
        return frozenset(place for place, demand in enumerate(self.demands) if demand.is_worth(demand.seconds(tables)))

    @cached_property
    def askers(self) -> tuple[tuple[int, ...], ...]:
        """By table, the places of the demands that it could answer."""
        found: list[list[int]] = [[] for _ in self.bytes]
        for place, demand in enumerate(self.demands):
            for table in demand.tables:
                found[table].append(place)
        return tuple(tuple(places) for places in found)
