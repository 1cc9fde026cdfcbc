"""What tables took when they were tried decides, not what was estimated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from sqlglot import exp, parse_one

from heavy_stack.backend.advisor.artefacts import ColumnFacts, Plan, TableFacts, TableName
from heavy_stack.backend.advisor.ports import BuiltTable, NotCheckable, Ports, RunFailed
from heavy_stack.backend.advisor.rewrite import rewrite
from heavy_stack.backend.advisor.trial import select_by_trial
from tests.support.rule_cases import Quiet, Run, Unhurried, run_stages

DDL = ["CREATE TABLE lake.shop.sales (region varchar, product varchar, year integer, amount bigint, note varchar)"]
QUERIES = [
    "SELECT region, SUM(amount) FROM lake.shop.sales GROUP BY region",
    "SELECT product, SUM(amount) FROM lake.shop.sales GROUP BY product",
]
FACTS = {
    "lake.shop.sales": TableFacts(
        rows=5_000_000,
        bytes=400_000_000,
        columns={
            "region": ColumnFacts(distinct=20),
            "product": ColumnFacts(distinct=50),
            "year": ColumnFacts(distinct=5),
            "amount": ColumnFacts(distinct=100_000),
        },
    )
}
CLIENTS_OWN_S = 1.0


@dataclass
class Session:
    """Texts take as long as the slowest table that they read."""

    seconds: Mapping[str, float]
    refused: str = "nothing is"
    asked: list[str] = field(default_factory=list)

    def time(self, sql: str, *, limit_s: float, repeat: int, plain: bool = False) -> float:
        """By the tables' names."""
        self.asked.append(sql)
        if self.refused in sql:
            raise NotCheckable(self.refused)
        words = re.findall(r"\w+", sql)
        return max(self.seconds.get(word, 0.0) for word in words) or CLIENTS_OWN_S

    def close(self) -> None:
        """Nothing to end."""


@dataclass
class Runner:
    """An engine whose tables take what a test says."""

    seconds: Mapping[str, float]
    broken: Sequence[str] = ()
    opens: bool = True
    unchecked: str = "nothing is"
    built: list[TableName] = field(default_factory=list)
    limits: dict[str, float] = field(default_factory=dict)
    session: Session | None = None

    def build(self, design: Sequence[tuple[TableName, str, str]], *, limit_s: float) -> list[BuiltTable | str]:
        """All small, but for those that are broken."""
        self.built += [name for name, _, _ in design]
        self.limits.update({name.name: limit_s for name, _, _ in design})
        return ["no room" if name.name in self.broken else BuiltTable(name, 50, 5_000, 0.1) for name, _, _ in design]

    def open_design(self) -> Session | None:
        """A session."""
        if not self.opens:
            raise RunFailed("gone")
        self.session = Session(self.seconds)
        return self.session

    def native(self, sql: str, design: Sequence[str] = ()) -> str:
        """The text, where it can be checked."""
        if self.unchecked in sql:
            raise NotCheckable(self.unchecked)
        return sql


@dataclass
class Clock:
    """A deadline that only queries bring nearer."""

    left: float = 600.0

    def left_s(self) -> float:
        """What queries left."""
        return self.left


@dataclass
class Ticking(Session):
    """Texts with MIN take long, and longest on the design's tables."""

    clock: Clock = field(default_factory=Clock)

    def time(self, sql: str, *, limit_s: float, repeat: int, plain: bool = False) -> float:
        """Takes its time from the clock."""
        super().time(sql, limit_s=limit_s, repeat=repeat, plain=plain)
        on_design = "heavy_" in sql
        seconds = (100.0 if on_design else 2.0) if "MIN(" in sql else (0.01 if on_design else 1.0)
        self.clock.left -= seconds
        return seconds


@dataclass
class TickingRunner(Runner):
    """Its queries take their time from the clock."""

    clock: Clock = field(default_factory=Clock)

    def open_design(self) -> Session | None:
        """A session."""
        self.session = Ticking(self.seconds, clock=self.clock)
        return self.session


@pytest.fixture(scope="module")
def run() -> Run:
    """Two queries that one table or two could answer."""
    return run_stages(DDL, QUERIES, FACTS, {"region": 20, "product": 50, "product,region": 1_000})


def tried(run: Run, runner: Runner, verify: str = "engine", deadline: Clock | Unhurried = Unhurried()) -> Plan:
    """The plan after a trial on this engine."""
    ports = Ports(runner=runner, progress=Quiet(), deadline=deadline)  # type: ignore[arg-type]
    profile = replace(run.profile, reachable=True)
    return select_by_trial(replace(run.workload, verify=verify), run.parsed, profile, run.proposals, ports)


def dimensions(plan: Plan) -> list[list[str]]:
    """Of the chosen tables."""
    found = [[column.name for column in each.columns if column.role == "dimension"] for each in plan.chosen]
    return sorted(found)


SHARED = "sales_by_product_region"
APART = {"sales_by_region": 0.01, "sales_by_product": 0.01}


class TestSelectByTrial:
    def test_takes_tables_of_their_own_where_the_shared_one_is_slow(self, run: Run) -> None:
        assert dimensions(tried(run, Runner({**APART, SHARED: 0.5}))) == [
            ["product"],
            ["region"],
        ]

    def test_takes_what_is_measured_to_be_enough(self, run: Run) -> None:
        plan = tried(run, Runner({"sales_by_region": 0.9, "sales_by_product": 0.9, SHARED: 0.02}))
        assert dimensions(plan) == [["product", "region"]]

    def test_says_for_each_text_which_tables_were_fastest(self, run: Run) -> None:
        plan = tried(run, Runner(APART))
        by_id = {each.id: each for each in plan.chosen}
        read = {text: [column.name for id in ids for column in by_id[id].columns] for text, ids in plan.ways.items()}
        assert read[0][0] == "region" and read[1][0] == "product"

    def test_queries_go_to_the_tables_they_were_fastest_on(self, run: Run) -> None:
        plan = tried(run, Runner(APART))
        ports = Ports(runner=None, progress=Quiet(), deadline=Unhurried())  # type: ignore[arg-type]
        found = rewrite(run.workload, run.parsed, run.profile, plan, ports)
        names = {table.candidate: table.name for table in found.tables}
        assert {text.text: text.tables for text in found.texts} == {
            text: tuple(names[each] for each in ids) for text, ids in plan.ways.items()
        }

    def test_texts_that_another_one_stands_for_go_its_way(self) -> None:
        years = [
            f"SELECT region, SUM(amount) FROM lake.shop.sales WHERE year = {year} GROUP BY region"
            for year in range(2000, 2008)
        ]
        many = run_stages(DDL, years, FACTS, {"region": 20, "region,year": 100})
        stood_for = replace(many, profile=replace(many.profile, design_runs={0: 80}))
        plan = tried(stood_for, Runner({"sales_by_region_year": 0.01, "sales_by_year_region": 0.01}))
        assert plan.ways[0]
        assert plan.ways == dict.fromkeys(range(8), plan.ways[0])

    def test_a_large_table_is_built_last_and_not_in_all_the_time(self) -> None:
        facts = {name: replace(each, bytes=60_000) for name, each in FACTS.items()}
        runner = Runner({**APART, SHARED: 0.001})
        tried(run_stages(DDL, QUERIES, facts, {"region": 20, "product": 50, "product,region": 1_000}), runner)
        assert runner.built[-1].name == SHARED
        assert runner.limits[SHARED] < 0.5 * runner.limits["sales_by_region"]

    def test_a_text_that_takes_long_in_many_ways_leaves_time_for_the_others(self) -> None:
        keys = ["region", "product", "year", "region, product", "region, year", "product, year"]
        queries = [f"SELECT {key}, SUM(amount) FROM lake.shop.sales GROUP BY {key}" for key in keys]
        queries[0] = "SELECT region, MIN(amount) FROM lake.shop.sales GROUP BY region"
        workload = run_stages(DDL, queries, FACTS, {"region": 20, "product": 50, "year": 5, "product,region": 1_000})
        runner = TickingRunner({})
        tried(workload, runner, deadline=runner.clock)
        assert runner.session is not None
        on_design = [sql for sql in runner.session.asked if "heavy_" in sql]
        assert len({sql for sql in on_design if "MIN(" in sql}) == 2  # of its ways, as many as its share of the time
        shown = [parse_one(sql, into=exp.Select, dialect="trino").named_selects[:-1] for sql in on_design]
        assert all(key.split(", ") in shown for key in keys)

    def test_what_cannot_be_checked_asks_for_no_table(self, run: Run) -> None:
        assert dimensions(tried(run, Runner(APART, unchecked="region"))) == [["product"]]

    def test_gives_the_failure_of_a_build_as_reason(self, run: Run) -> None:
        plan = tried(run, Runner(APART, broken=["sales_by_region"]))
        assert dimensions(plan) != [["product"], ["region"]]
        assert any("no room" in why for _, _, why in plan.rejected)

    def test_builds_nothing_where_the_data_may_not_be_asked(self, run: Run) -> None:
        runner = Runner(APART)
        plan = tried(run, runner, verify="conditions")
        assert plan == run.plan
        assert not runner.built

    def test_keeps_the_guess_where_the_tables_cannot_be_read(self, run: Run) -> None:
        assert tried(run, Runner(APART, opens=False)).chosen == run.plan.chosen
