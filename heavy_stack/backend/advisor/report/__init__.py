"""report: the whole answer, and beside it what was decided, on which evidence, and what it costs.

Only measured figures; what nobody measured is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heavy_stack.backend.advisor.artefacts import (
    Answer,
    DesignTable,
    FrozenDesign,
    ParsedWorkload,
    Plan,
    Rewrite,
    TableMeasure,
    TableName,
    Verdicts,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.report.certificates import certificates, front
from heavy_stack.backend.advisor.report.decisions import Decision, decide, tables_read
from heavy_stack.backend.advisor.report.native import native_statements
from heavy_stack.backend.advisor.report.net_gain import net_gain
from heavy_stack.backend.advisor.report.pruning import prune
from heavy_stack.backend.advisor.report.rendering import render_answer
from heavy_stack.backend.advisor.report.score import score, storage_before, storage_new
from heavy_stack.backend.advisor.report.sentences import as_of, gap_warnings, headline
from heavy_stack.backend.advisor.sql.table_names import quoted_if_needed
from heavy_stack.shared_models.reports import QueryReport, RejectedReport, Report, TableReport, TextReport
from heavy_stack.shared_models.workloads import EngineKind

__all__ = ["frozen_design", "render_answer", "report"]

_CHANGED = "The data changed while this task ran: some checks and times are of an older state than others."
_UNREAD = "No query that is sent reads it: the queries it was made for are answered unchanged."


def report(
    workload: Workload,
    parsed: ParsedWorkload,
    profile: WorkloadProfile,
    plan: Plan,
    rewrite: Rewrite,
    verdicts: Verdicts,
    ports: Ports,
) -> Answer:
    """The answer: ddl (CREATE SCHEMA first, also when no table follows), migrations, every queryid, the report."""
    before_bytes = storage_before(parsed, profile, verdicts)
    pruned = prune(workload, rewrite, verdicts, decide(parsed, plan, rewrite, verdicts), before_bytes)
    decisions = pruned.decisions
    # A frozen design comes back as it was, whatever these queries read of it.
    tables = rewrite.tables if workload.frozen is not None else tables_read(decisions, rewrite)
    new_bytes = storage_new(tables, verdicts)
    figures, gaps = score(workload, decisions, before_bytes, new_bytes)
    rollback = [f"DROP TABLE IF EXISTS {_sql_name(table.name)}" for table in reversed(tables)]
    rollback.append(f"DROP SCHEMA IF EXISTS {quoted_if_needed(parsed.catalog)}.{quoted_if_needed(rewrite.schema_name)}")
    warnings = [*verdicts.warnings, *(gap_warnings(gaps) if figures.x is not None else [])]
    if ports.facts is not None and profile.snapshot not in (None, ports.facts.current_snapshot()):
        warnings.append(_CHANGED)
    native: dict[str, list[str]] = {}
    if workload.engine is EngineKind.DUCKDB:
        ports.progress.report(0.5, "Writing the statements for DuckDB")
        native, missing, late = native_statements(
            ports.runner, rewrite.create_schema, tables, rollback, decisions, workload.queries, ports.deadline
        )
        if missing:
            warnings.append(f"{missing} of {len(decisions)} query texts have no faithful form in DuckDB's SQL.")
        if late:
            warnings.append(f"{late} of {len(decisions)} query texts were not written in DuckDB's SQL: the time ended.")
    return Answer(
        ddl=(rewrite.create_schema, *(table.create for table in tables)),
        migrations=tuple(table.insert for table in tables),
        queries=tuple((query.queryid, decisions[query.text].query) for query in workload.queries),
        report=Report(
            headline=headline(workload, decisions, len(tables), figures),
            as_of=as_of(profile),
            engine=profile.engine,
            engine_reachable=profile.reachable,
            engine_note=profile.note,
            verify=workload.verify,
            schema_name=rewrite.schema_name,
            texts=[_text_report(decision) for decision in decisions],
            queries=[QueryReport(queryid=q.queryid, runquantity=q.runquantity, text=q.text) for q in workload.queries],
            tables=_table_reports(workload, profile, decisions, tables, verdicts),
            rejected=_rejected(plan, rewrite, tables, {table.name: why for table, why in pruned.dropped}),
            certificates=certificates(workload, profile, decisions),
            front=front(plan),
            score=figures,
            net_gain=net_gain(workload, decisions, tables, verdicts),
            storage_before_bytes=before_bytes,
            storage_new_bytes=new_bytes,
            refresh=[table.refresh for table in tables],
            maintenance=[f"ANALYZE {_sql_name(table.name)}" for table in tables],
            rollback=rollback,
            duckdb=native,
            tolerance=verdicts.tolerance,
            warnings=warnings,
        ),
    )


def frozen_design(
    workload: Workload,
    parsed: ParsedWorkload,
    profile: WorkloadProfile,
    plan: Plan,
    rewrite: Rewrite,
    verdicts: Verdicts,
) -> FrozenDesign:
    """The tables of a task's answer with what it takes to match other queries to them."""
    decisions = decide(parsed, plan, rewrite, verdicts)
    before_bytes = storage_before(parsed, profile, verdicts)
    tables = tables_read(prune(workload, rewrite, verdicts, decisions, before_bytes).decisions, rewrite)
    kept = {table.candidate for table in tables}
    candidates = tuple(candidate for candidate in plan.chosen if candidate.id in kept)
    return FrozenDesign(candidates, rewrite.schema_name, rewrite.create_schema, tables)


def _text_report(decision: Decision) -> TextReport:
    found, rewritten = decision.found, decision.rewritten
    return TextReport(
        verdict=decision.verdict,
        reason=decision.reason,
        detail=decision.detail,
        line=decision.parsed.line,
        column=decision.parsed.column,
        rules=list(rewritten.rules) if rewritten is not None else [],
        tables=[str(name) for name in rewritten.tables] if rewritten is not None else [],
        evidence=list(found.evidence) if found is not None else [],
        before_s=decision.before_s,
        after_s=decision.after_s,
        before_plain_s=found.before_plain_s if found is not None else None,
        after_plain_s=found.after_plain_s if found is not None and rewritten is not None else None,
        measured_texts=decision.measured_texts,
        ratio=decision.ratio,
        original=decision.parsed.answer,
        rewritten=rewritten.sql if rewritten is not None else None,
    )


def _table_reports(
    workload: Workload,
    profile: WorkloadProfile,
    decisions: Sequence[Decision],
    tables: Sequence[DesignTable],
    verdicts: Verdicts,
) -> list[TableReport]:
    queries: dict[TableName, int] = {}
    runs: dict[TableName, int] = {}
    for query in workload.queries:
        rewritten = decisions[query.text].rewritten
        for name in set(rewritten.tables) if rewritten is not None else ():
            queries[name] = queries.get(name, 0) + 1
            runs[name] = runs.get(name, 0) + query.runquantity
    measures: Mapping[TableName, TableMeasure] = {measure.name: measure for measure in verdicts.tables}
    return [
        _table_report(table, measures.get(table.name), profile, queries.get(table.name, 0), runs.get(table.name, 0))
        for table in tables
    ]


def _table_report(
    table: DesignTable, measure: TableMeasure | None, profile: WorkloadProfile, queries: int, runs: int
) -> TableReport:
    rows = measure.rows if measure is not None else None
    sources = [profile.facts[str(name)].rows for name in table.source_tables if str(name) in profile.facts]
    largest = max((count for count in sources if count is not None), default=0)
    return TableReport(
        name=str(table.name),
        rule=table.rule,
        why=table.why,
        dimensions=[column.name for column in table.columns if column.role == "dimension"],
        measures=[column.name for column in table.columns if column.role != "dimension"],
        source_tables=[str(name) for name in table.source_tables],
        serves_queries=queries,
        serves_runs=runs,
        rows=rows,
        bytes=measure.bytes if measure is not None else None,
        build_s=measure.build_s if measure is not None else None,
        share_of_source=rows / largest if rows is not None and largest > 0 else None,
        refresh=table.refresh,
    )


def _rejected(
    plan: Plan, rewrite: Rewrite, kept: Sequence[DesignTable], given_up: Mapping[TableName, str]
) -> list[RejectedReport]:
    rejected = [RejectedReport(candidate=candidate, rule=rule, why=why) for candidate, rule, why in plan.rejected]
    names = {table.name for table in kept}
    dropped = [table for table in rewrite.tables if table.name not in names]
    return rejected + [
        RejectedReport(candidate=str(t.name), rule=t.rule, why=given_up.get(t.name, _UNREAD)) for t in dropped
    ]


def _sql_name(name: TableName) -> str:
    return ".".join(map(quoted_if_needed, (name.catalog, name.schema, name.name)))
