"""Rule fixtures: scripts of DDL, migrations and queries, run through the stages and on small tables in DuckDB."""

from __future__ import annotations

import datetime
import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import (
    Column,
    ColumnFacts,
    ParsedWorkload,
    Plan,
    Proposals,
    QueryEntry,
    Rewrite,
    Table,
    TableFacts,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.parse import parse
from heavy_stack.backend.advisor.ports import Ports, ResultSet
from heavy_stack.backend.advisor.propose import propose
from heavy_stack.backend.advisor.rewrite import rewrite
from heavy_stack.backend.advisor.select import select
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.comparator import compare
from heavy_stack.backend.advisor.sql.parsing import parse_statement, tokens_of
from heavy_stack.backend.advisor.verify.check_texts import CheckTexts, check_texts
from heavy_stack.backend.advisor.verify.conditions import promised_keys
from heavy_stack.backend.advisor.verify.data_sets import KeyRules
from heavy_stack.backend.engines.duckdb_sql import output_columns, to_duckdb
from heavy_stack.backend.engines.translation import create_statement, design_table, insert_statement, split_insert
from heavy_stack.shared_models.workloads import EngineKind

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "rules"
TASK_ID = "0a1b2c3d-0000-4000-8000-000000000000"


class Quiet:
    """A progress that nobody watches."""

    def report(self, done: float, activity: str) -> None:
        """Nothing."""


class Unhurried:
    """A deadline that stays away."""

    def left_s(self) -> float:
        """Always the same."""
        return 600.0


@dataclass(frozen=True)
class CountedGroups:
    """Engine facts for tests: groups by the text of their dimension columns."""

    counts: Mapping[str, int] = field(default_factory=dict)
    name: str = "fake"
    snapshot: str = "s"
    at: str = "2026-01-01T00:00:00Z"

    def current_snapshot(self) -> str:
        """Never changes."""
        return self.snapshot

    def table_facts(self, table: Table, columns: object) -> TableFacts | None:
        """Not asked for: the profile is given."""
        return None

    def count_groups(
        self, selects: Mapping[str, str], *, limit_s: float, sample_rows: int | None = None
    ) -> Mapping[str, int | None]:
        """By the column names that a SELECT lists, joined by commas; None for others."""
        found: dict[str, int | None] = {}
        for key, sql in selects.items():
            tree = parse_statement(sql)
            assert isinstance(tree, exp.Select)
            names = ",".join(sorted(column.name for item in tree.expressions for column in item.find_all(exp.Column)))
            # What a condition of the data finds: values that have several others.
            found[key] = self.counts.get(f"{names} differ" if tree.args.get("having") else names)
        return found


@dataclass(frozen=True)
class Run:
    """A workload after the stages parse, propose, select and rewrite."""

    workload: Workload
    parsed: ParsedWorkload
    profile: WorkloadProfile
    proposals: Proposals
    plan: Plan
    rewrite: Rewrite

    def rewritten(self, text: int = 0) -> str | None:
        """The rewritten text; None where it stays as it is."""
        return next((found.sql for found in self.rewrite.texts if found.text == text), None)

    def why(self, text: int = 0) -> str:
        """Why a text stays as it is."""
        return (
            self.rewrite.failed.get(text) or self.plan.unanswered.get(text) or self.proposals.unanswered.get(text) or ""
        )

    def dimensions(self) -> list[list[str]]:
        """The dimensions of the tables, each list sorted."""
        return [
            sorted(column.name for column in table.columns if column.role == "dimension")
            for table in self.rewrite.tables
        ]


def run_stages(
    ddl: Sequence[str],
    queries: Sequence[str],
    facts: Mapping[str, TableFacts] | None = None,
    groups: Mapping[str, int] | None = None,
    **options: Any,
) -> Run:
    """parse → propose → select → rewrite; each query runs ten times, the earlier ones a little more often."""
    entries = tuple(QueryEntry(f"q{index}", index, 10) for index in range(len(queries)))
    workload = Workload(
        task_id=TASK_ID,
        engine=EngineKind.UNKNOWN,
        url="jdbc:trino://localhost:1/lake/shop",
        ddl=tuple(ddl),
        texts=tuple(queries),
        queries=entries,
        verify="conditions",
        budget_s=600,
        **options,
    )
    ports = Ports(runner=None, progress=Quiet(), deadline=Unhurried())  # type: ignore[arg-type]
    if groups is not None:
        ports = Ports(runner=None, progress=Quiet(), deadline=Unhurried(), facts=CountedGroups(groups))  # type: ignore[arg-type]
    parsed = parse(workload, Quiet())
    runs = {index: 10 + len(queries) - index for index in range(len(queries))}
    profile = WorkloadProfile(None, facts is not None, None, None, None, dict(facts or {}), runs)
    proposals = propose(workload, parsed, profile, ports)
    plan = select(workload, parsed, profile, proposals, ports)
    return Run(workload, parsed, profile, proposals, plan, rewrite(workload, parsed, profile, plan, ports))


@dataclass(frozen=True)
class Case:
    """One fixture."""

    name: str
    rule: str
    before: Path
    after: Path | None
    why: str
    facts: dict[str, TableFacts] | None

    @property
    def ddl(self) -> list[str]:
        """The CREATE TABLE statements of `before`."""
        return [text for text in statements(self.before.read_text()) if text.upper().startswith("CREATE")]

    @property
    def queries(self) -> list[str]:
        """The queries of `before`."""
        return [text for text in statements(self.before.read_text()) if not text.upper().startswith("CREATE")]


def cases_of(rule: str) -> list[Case]:
    """The fixtures of a rule."""
    return [_case(rule, folder) for folder in sorted((FIXTURES / rule).iterdir()) if folder.is_dir()]


def _case(rule: str, folder: Path) -> Case:
    described = tomllib.loads((folder / "case.toml").read_text())
    facts = {
        table: TableFacts(
            rows=entry.get("rows"),
            bytes=entry.get("bytes"),
            columns={name: ColumnFacts(**values) for name, values in entry.get("columns", {}).items()},
        )
        for table, entry in described.get("facts", {}).items()
    }
    after = folder / "after.sql"
    return Case(
        folder.name, rule, folder / "before.sql", after if after.exists() else None, described["why"], facts or None
    )


def statements(script: str) -> list[str]:
    """The statements of a script, cut at its `;` tokens."""
    found: list[str] = []
    start = 0
    for token in tokens_of(script):
        if token.token_type.name == "SEMICOLON":
            found.append(script[start : token.start].strip())
            start = token.end + 1
    rest = script[start:].strip()
    return [text for text in [*found, rest] if text]


def written_after(run: Run) -> str:
    """What `after.sql` holds: DDL, migrations, then each query, rewritten or as it was."""
    made = run.rewrite.tables
    lines = [run.rewrite.create_schema, *(table.create for table in made), *(table.insert for table in made)]
    lines += [run.rewritten(text.text) or text.answer for text in run.parsed.texts]
    return "".join(f"{line};\n" for line in lines)


def differences(run: Run, seed: int, rows: int = 40) -> Iterator[str]:
    """Run every rewritten text and its original on one random data set; yields what differs."""
    catalog = Catalog(run.parsed.tables)
    designed = catalog.with_tables(
        Table(table.name, tuple(Column(column.name, column.type) for column in table.columns))
        for table in run.rewrite.tables
    )
    database = duckdb.connect()
    try:
        _fill(database, run, catalog, random.Random(seed), rows)
        for found in run.rewrite.texts:
            original = run.parsed.texts[found.text].sql or ""
            texts = check_texts(qualified(original, catalog), qualified(found.sql, designed))
            if not isinstance(texts, CheckTexts):
                yield f"text {found.text}: {texts.detail}"
                continue
            expected = _result(database, texts.original, catalog)
            actual = _result(database, texts.rewritten, designed)
            compared = compare(expected, actual, moments=texts.moments)
            if not compared.equal:
                yield f"text {found.text}, seed {seed}: {compared.detail}"
    finally:
        database.close()


def _fill(database: duckdb.DuckDBPyConnection, run: Run, catalog: Catalog, chance: random.Random, rows: int) -> None:
    name = run.parsed.catalog
    database.execute(f"ATTACH ':memory:' AS \"{name}\"")
    for schema in {table.name.schema for table in run.parsed.tables} | {run.rewrite.schema_name}:
        database.execute(f'CREATE SCHEMA "{name}"."{schema}"')
    promised = promised_keys(run.rewrite.texts, catalog)
    words = sorted({str(literal.this) for text in run.parsed.texts for literal in _literals(text.sql)})
    for table in run.parsed.tables:
        database.execute(create_statement(table))
        values = [tuple(_value(chance, column.type, words) for column in table.columns) for _ in range(rows)]
        values += values[: rows // 5]  # duplicates
        values = _keeping(values, table, promised)
        marks = ", ".join("?" * len(table.columns))
        full = f'"{name}"."{table.name.schema}"."{table.name.name}"'
        if values:
            database.executemany(f"INSERT INTO {full} VALUES ({marks})", values)
    for made in run.rewrite.tables:
        database.execute(create_statement(design_table(made.create)))
        insert = split_insert(made.insert)
        database.execute(insert_statement(insert, to_duckdb(insert.select, catalog)))


def _keeping(values: list[tuple[Any, ...]], table: Table, promised: KeyRules) -> list[tuple[Any, ...]]:
    """The rows that keep what the rewrite's conditions promise: keys that are unique, columns without NULL."""
    places = {column.name.lower(): place for place, column in enumerate(table.columns)}
    filled = [places[name] for name in promised.not_null.get(table.name, ())]
    kept = [row for row in values if all(row[place] is not None for place in filled)]
    for key in promised.unique.get(table.name, ()):
        seen: set[tuple[Any, ...]] = set()
        distinct: list[tuple[Any, ...]] = []
        for row in kept:
            found = tuple(row[places[name]] for name in key)
            if None in found or found not in seen:
                distinct.append(row)
                seen.add(found)
        kept = distinct
    return kept


def _literals(sql: str | None) -> list[exp.Literal]:
    return list(parse_statement(sql).find_all(exp.Literal)) if sql else []


def _result(database: duckdb.DuckDBPyConnection, sql: str, catalog: Catalog) -> ResultSet:
    columns = output_columns(sql, catalog)
    rows = database.execute(to_duckdb(sql, catalog)).fetchall()
    return ResultSet(tuple(name for name, _ in columns), tuple(kind for _, kind in columns), rows)


def _value(chance: random.Random, kind: str, words: Sequence[str]) -> Any:
    """A value of few, so that groups form; NULL, '' and the queries' own constants are among them."""
    if chance.random() < 0.15:
        return None
    base = kind.split("(")[0]
    if base == "boolean":
        return chance.random() < 0.4
    if base in ("tinyint", "smallint", "integer", "bigint"):
        return chance.randint(-2, 6)
    if base in ("double", "real"):
        return float(chance.randint(-4, 12)) / 2
    if base == "decimal":
        return Decimal(chance.randint(-300, 900)) / 100
    if base == "date":
        return _date(chance, words)
    if base == "timestamp":
        time = datetime.time(chance.choice([0, 0, 7, 23]), chance.choice([0, 59]))
        return datetime.datetime.combine(_date(chance, words), time)
    return chance.choice(["", "a", "b", *words[:12]])


def _date(chance: random.Random, words: Sequence[str]) -> datetime.date:
    days = [datetime.date(2024, 1, 15)]
    for word in words:
        try:
            days.append(datetime.date.fromisoformat(word[:10]))
        except ValueError:
            continue
    return chance.choice(days) + datetime.timedelta(days=chance.choice([-31, -1, 0, 0, 1, 20]))
