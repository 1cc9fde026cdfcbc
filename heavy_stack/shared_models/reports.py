"""The report that stands beside the three contract keys of an answer, and is shown on the result page.

Times are in seconds, sizes in bytes. A figure that nobody measured is None, never an estimate under a measured name.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from heavy_stack.shared_models.verdicts import Reason, Verdict


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Evidence(_Model):
    """One thing that was done to check a rewrite: `kind` is condition, data_set or real_data."""

    kind: str
    name: str
    outcome: str  # holds | equal | different | failed | skipped
    rows: int | None = None
    groups: int | None = None
    seconds: float | None = None
    detail: str | None = None


class TextReport(_Model):
    """One distinct query text: what was decided, on which evidence, and what it costs before and after."""

    verdict: Verdict
    reason: Reason | None = None
    detail: str | None = None
    line: int | None = None
    column: int | None = None
    rules: list[str] = []
    tables: list[str] = []
    evidence: list[Evidence] = []
    before_s: float | None = None
    after_s: float | None = None
    before_plain_s: float | None = None  # plain transpilation, without Trino's exact decimals
    after_plain_s: float | None = None
    measured_texts: int | None = None  # None: the times are its own; else medians of so many texts of its shape
    ratio: float | None = None
    original: str = ""  # the unchanged answer: names completed
    rewritten: str | None = None


class QueryReport(_Model):
    """One queryid of the workload; `text` is an index into `Report.texts`."""

    queryid: str
    runquantity: int
    text: int


class TableReport(_Model):
    """One table of the design."""

    name: str
    rule: str
    why: str
    dimensions: list[str] = []
    measures: list[str] = []
    source_tables: list[str] = []
    serves_queries: int = 0
    serves_runs: int = 0
    rows: int | None = None
    bytes: int | None = None
    build_s: float | None = None
    share_of_source: float | None = None
    refresh: str = ""  # atomic and repeatable: CREATE OR REPLACE TABLE … AS …


class RejectedReport(_Model):
    """A candidate that was not chosen, and why."""

    candidate: str
    rule: str
    why: str


class CertificateReport(_Model):
    """What must stay true of the data for rewritten queries to stay equal: `sql` (Trino) must return no row.

    `outcome` is what was found `at` that time (ISO 8601, UTC): holds, broken or unknown.
    """

    name: str
    sql: str
    outcome: str
    detail: str | None = None
    at: str | None = None
    queries: int = 0  # queryids that rely on it


class FrontPointReport(_Model):
    """One design on the front of speed against bytes; `chosen` is the one that was taken."""

    tables: int
    bytes: int
    x: float
    z_total: float
    chosen: bool = False


class ScoreReport(_Model):
    """x = Σ(Q·A/T)/ΣQ, y = S/C, z = x·∛y; y_total = S/(S+C). All None when nothing was measured."""

    x: float | None = None
    sum_ratio: float | None = None  # ΣQA/ΣQT
    y_total: float | None = None
    y_new: float | None = None
    z_total: float | None = None
    z_new: float | None = None
    x_equal_weights: float | None = None
    sum_ratio_equal_weights: float | None = None
    z_total_equal_weights: float | None = None
    z_new_equal_weights: float | None = None


class NetGainReport(_Model):
    """What the design saves a day, beside what a refresh costs; seconds of the engine as measured."""

    window_days: int  # the run quantities cover so many days
    saved_s_per_day: float
    refresh_s: float  # building all tables once
    worth_refreshes_per_day: float | None = None  # refreshed more often, keeping it fresh takes more than it saves
    sentence: str = ""


class AsOf(_Model):
    """As of when the answer holds: the first line of the report."""

    kind: str  # snapshot | no_engine
    snapshot: str | None = None
    at: str | None = None  # ISO 8601, UTC
    sentence: str = ""


class Recheck(_Model):
    """What was found when a design's certificates were checked again: the `recheck` of such a task's answer.

    Attributes:
        design: Id of the task whose design they belong to.
        certificates: Each with what was found this time.
        at: When, ISO 8601, UTC.
        note: Why the engine could not be asked; None when it was.
    """

    design: str
    certificates: list[CertificateReport]
    at: str
    note: str | None = None

    @property
    def broken(self) -> int:
        """How many no longer hold."""
        return sum(item.outcome == "broken" for item in self.certificates)

    @property
    def unknown(self) -> int:
        """How many could not be checked."""
        return sum(item.outcome == "unknown" for item in self.certificates)


class Report(_Model):
    """Everything beside ddl, migrations and queries."""

    version: int = 1
    headline: str
    as_of: AsOf
    engine: str | None
    engine_reachable: bool
    engine_note: str | None = None
    verify: str
    schema_name: str | None = None
    texts: list[TextReport]
    queries: list[QueryReport]
    tables: list[TableReport] = []
    rejected: list[RejectedReport] = []
    certificates: list[CertificateReport] = []
    front: list[FrontPointReport] = []
    score: ScoreReport = ScoreReport()
    net_gain: NetGainReport | None = None
    storage_before_bytes: int | None = None
    storage_new_bytes: int | None = None
    refresh: list[str] = []
    maintenance: list[str] = []
    rollback: list[str] = []
    duckdb: dict[str, list[str]] = {}  # ddl, migrations, queries, rollback: the same statements for DuckDB
    tolerance: str = ""
    warnings: list[str] = []
    stage_seconds: dict[str, float] = {}
