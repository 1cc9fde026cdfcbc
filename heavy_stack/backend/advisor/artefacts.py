"""What passes between stages: frozen dataclasses, stored as versioned JSON with SQL as text.

Every query text is kept once (`Workload.texts`); later artefacts speak of texts by their index, so a month's log of
20,000 queries with 500 texts costs 500 analyses. SQL in artefacts is Trino SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from heavy_stack.shared_models.reports import Evidence, Report
from heavy_stack.shared_models.tasks import Stage
from heavy_stack.shared_models.verdicts import Reason, Verdict
from heavy_stack.shared_models.workloads import EngineKind

ARTEFACT_VERSION = 4
"""Raised with every change of these shapes; an artefact of another version restarts the task from ingest."""


@dataclass(frozen=True, order=True)
class TableName:
    """A full table name, `catalog.schema.name`; parts as Trino stores them (lower case unless quoted in the DDL)."""

    catalog: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.name}"


@dataclass(frozen=True)
class Column:
    """A column of the DDL; `type` is Trino's spelling, lower case (`decimal(12,2)`, `timestamp(6)`)."""

    name: str
    type: str
    nullable: bool = True


@dataclass(frozen=True)
class Table:
    """A table of the DDL. `properties` holds the WITH (…) entries as SQL text."""

    name: TableName
    columns: tuple[Column, ...]
    properties: dict[str, str] = field(default_factory=dict)
    statement: int = 0


@dataclass(frozen=True)
class QueryEntry:
    """One query of the workload; `text` is an index into `Workload.texts`."""

    queryid: str
    text: int
    runquantity: int
    executiontime: float | None = None


@dataclass(frozen=True)
class Workload:
    """ingest's artefact. `url` has no credentials. `task_id` seeds the new schema's name and the data generators.

    `design` is the id of the task whose design is frozen, `frozen` that design; runs are those of `window_days` days.
    """

    task_id: str
    engine: EngineKind
    url: str
    ddl: tuple[str, ...]
    texts: tuple[str, ...]
    queries: tuple[QueryEntry, ...]
    verify: str
    budget_s: float
    design: str | None = None
    max_tables: int | None = None
    max_storage_bytes: int | None = None
    frozen: FrozenDesign | None = None
    window_days: int = 30


@dataclass(frozen=True)
class FrozenDesign:
    """An earlier task's design that stays (`options.design`): its plan's `chosen`, its rewrite's statements."""

    candidates: tuple[Candidate, ...]
    schema_name: str
    create_schema: str
    tables: tuple[DesignTable, ...]


@dataclass(frozen=True)
class ParsedText:
    """One query text after parsing.

    Attributes:
        text: Index into `Workload.texts`.
        answer: The unchanged answer: the client's text, table names completed at their token positions, no trailing `;`
            (byte for byte the client's text when it does not parse).
        sql: Text to analyse (equal to `answer`), or None when `reason` says why it is kept aside.
        reason, detail, line, column: Why it cannot be rewritten, in a sentence, with the 1-based place.
        tables: Base tables read.
        fingerprint: Hash of the normalised tree with literals replaced; texts that differ in literals share it.
        shape: Texts of one shape have the same tokens but for literals that may move, and those of the same kinds
            (`sql/literal_sites.py`): what holds for one holds for all of them. "" when the text does not parse.
    """

    text: int
    answer: str
    sql: str | None
    reason: Reason | None = None
    detail: str | None = None
    line: int | None = None
    column: int | None = None
    tables: tuple[TableName, ...] = ()
    fingerprint: str = ""
    shape: str = ""


@dataclass(frozen=True)
class ParsedWorkload:
    """parse's artefact. All tables share one catalog."""

    tables: tuple[Table, ...]
    texts: tuple[ParsedText, ...]
    catalog: str


@dataclass(frozen=True)
class ColumnFacts:
    """Statistics of one column; None where unknown. `values`: every one of at most 16; `in_order`: rows follow it."""

    distinct: int | None = None
    nulls: int | None = None
    low: str | None = None
    high: str | None = None
    values: tuple[str, ...] | None = None
    in_order: bool | None = None


@dataclass(frozen=True)
class TableFacts:
    """Statistics of one table."""

    rows: int | None = None
    bytes: int | None = None
    columns: dict[str, ColumnFacts] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkloadProfile:
    """profile's artefact. `facts` is keyed by `str(TableName)`; `runs` by text index (ΣQ of its queryids).

    `design_runs`: the texts that the design is made for, with the runs of all texts that they stand for.
    """

    engine: str | None
    reachable: bool
    note: str | None
    snapshot: str | None
    at: str | None
    facts: dict[str, TableFacts]
    runs: dict[int, int]
    design_runs: dict[int, int] = field(default_factory=dict)

    def for_design(self) -> WorkloadProfile:
        """The same with the runs of `design_runs` as its runs."""
        return replace(self, runs=self.design_runs) if self.design_runs else self


@dataclass(frozen=True)
class StoredColumn:
    """A column of a proposed table: `sql` is its expression over the core (canonical aliases), `type` Trino's type."""

    name: str
    sql: str
    type: str
    role: str  # dimension | measure | flag


@dataclass(frozen=True)
class Saving:
    """What a candidate would save one block of one text, in the cost model's seconds (estimates, for choosing only).

    Attributes:
        text: The text's index.
        block: The place of the block's SELECT among all SELECTs of the analysed tree (depth first). Candidates of all
            rules that answer the same block compete for it.
        before_s: Estimated work of that block on the client's tables.
        after_s: The same on the candidate.
    """

    text: int
    block: int
    before_s: float
    after_s: float


@dataclass(frozen=True)
class Candidate:
    """A table that could be built, and the texts that it could answer.

    Attributes:
        id: Stable within the task.
        rule: Rule id.
        select: The SELECT that fills it (Trino SQL, full names).
        columns: In the SELECT's order.
        source_tables: Base tables it reads.
        serves: Text indexes.
        blocks: Which aggregate blocks it answers: rule-specific keys.
        savings: What it saves each block that it answers.
        conditions: (name, Trino SQL that must return no row): what must hold of the data for its use to be exact.
        rows, bytes: Estimated or measured; None without an engine.
        why: One sentence.
        evidence: Facts behind the choice, JSON-serialisable.
    """

    id: str
    rule: str
    select: str
    columns: tuple[StoredColumn, ...]
    source_tables: tuple[TableName, ...]
    serves: tuple[int, ...]
    blocks: tuple[str, ...] = ()
    savings: tuple[Saving, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    rows: int | None = None
    bytes: int | None = None
    why: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposals:
    """propose's artefact: candidates, and for each text without one a reason.

    `text_s`: by text, its seconds by the cost model. `rejected`: (candidate, rule, why) of what was given up.
    """

    candidates: tuple[Candidate, ...]
    unanswered: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, Reason] = field(default_factory=dict)
    text_s: dict[int, float] = field(default_factory=dict)
    rejected: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class FrontPoint:
    """One design on the front of speed against bytes; `chosen` is the one that was taken."""

    tables: int
    bytes: int
    x: float
    z_total: float
    chosen: bool = False


@dataclass(frozen=True)
class Plan:
    """select's artefact; `front` from few bytes to many; `ways`: by text tried, the candidates it ran fastest on."""

    chosen: tuple[Candidate, ...]
    rejected: tuple[tuple[str, str, str], ...] = ()  # candidate id, rule, why
    unanswered: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, Reason] = field(default_factory=dict)
    front: tuple[FrontPoint, ...] = ()
    ways: dict[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class DesignTable:
    """A table of the design with its statements (Trino SQL, full names)."""

    candidate: str
    name: TableName
    rule: str
    why: str
    columns: tuple[StoredColumn, ...]
    source_tables: tuple[TableName, ...]
    create: str
    insert: str
    refresh: str
    rows_estimate: int | None = None


@dataclass(frozen=True)
class RewrittenText:
    """A rewritten query text; `conditions` are side conditions as Trino SQL that must return no row."""

    text: int
    sql: str
    tables: tuple[TableName, ...]
    rules: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...] = ()  # (name, sql)
    by_rule: bool = False  # every step exact by the rule alone, given the conditions


@dataclass(frozen=True)
class Rewrite:
    """rewrite's artefact. `create_schema` is the first ddl statement; `others`: by text, further ways in order."""

    schema_name: str
    create_schema: str
    tables: tuple[DesignTable, ...]
    texts: tuple[RewrittenText, ...]
    failed: dict[int, str] = field(default_factory=dict)
    others: dict[int, tuple[RewrittenText, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class TextVerdict:
    """What is known about one text's rewrite, and what it costs; times in seconds.

    `measured_texts`: None where the times are its own; else they are medians of so many texts of its shape.
    `way`: the rewrite that it is about: 0 is the text's in `Rewrite.texts`, n the nth of its `Rewrite.others`."""

    text: int
    verdict: Verdict
    reason: Reason | None = None
    detail: str | None = None
    evidence: tuple[Evidence, ...] = ()
    before_s: float | None = None
    after_s: float | None = None
    before_plain_s: float | None = None
    after_plain_s: float | None = None
    measured_texts: int | None = None
    way: int = 0


@dataclass(frozen=True)
class TableMeasure:
    """What building a design table showed."""

    name: TableName
    rows: int | None = None
    bytes: int | None = None
    build_s: float | None = None


@dataclass(frozen=True)
class Verdicts:
    """verify's artefact: one verdict per text that parse, propose or rewrite did not set aside.
    `baseline_s`: seconds as they stand of texts for which no rewrite was measured, by text index; `baseline_texts`:
    where these are a median of other texts of the same shape, of how many. `spare`: further ways that could be sent."""

    texts: tuple[TextVerdict, ...]
    tables: tuple[TableMeasure, ...] = ()
    storage_before_bytes: int | None = None
    tolerance: str = ""
    warnings: tuple[str, ...] = ()
    baseline_s: dict[int, float] = field(default_factory=dict)
    baseline_texts: dict[int, int] = field(default_factory=dict)
    spare: tuple[TextVerdict, ...] = ()


@dataclass(frozen=True)
class Answer:
    """report's artefact: the whole answer; `queries` maps every queryid to its text, in the workload's order."""

    ddl: tuple[str, ...]
    migrations: tuple[str, ...]
    queries: tuple[tuple[str, str], ...]
    report: Report


ARTEFACT_TYPES: dict[Stage, type] = {
    Stage.INGEST: Workload,
    Stage.PARSE: ParsedWorkload,
    Stage.PROFILE: WorkloadProfile,
    Stage.PROPOSE: Proposals,
    Stage.SELECT: Plan,
    Stage.REWRITE: Rewrite,
    Stage.VERIFY: Verdicts,
    Stage.REPORT: Answer,
}


@cache
def _adapter(stage: Stage) -> TypeAdapter[Any]:
    return TypeAdapter(ARTEFACT_TYPES[stage])


def to_json(artefact: Any) -> bytes:
    """The artefact as JSON bytes (UTF-8)."""
    stage = next(stage for stage, kind in ARTEFACT_TYPES.items() if type(artefact) is kind)
    return _adapter(stage).dump_json(artefact)


def from_json(stage: Stage, data: bytes) -> Any:
    """The artefact of `stage` from its JSON bytes.

    Raises:
        pydantic.ValidationError: The bytes are not that artefact in this version.
    """
    return _adapter(stage).validate_json(data)
