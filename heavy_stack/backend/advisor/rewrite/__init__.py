"""rewrite: names and statements for the chosen tables, and each text rewritten onto them."""

from __future__ import annotations

from collections.abc import Mapping

from heavy_stack.backend.advisor.artefacts import (
    Candidate,
    DesignTable,
    ParsedText,
    ParsedWorkload,
    Plan,
    Rewrite,
    RewrittenText,
    TableName,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.rewrite.by_fingerprint import by_shape, rewrite_alike
from heavy_stack.backend.advisor.rewrite.chain import Chain
from heavy_stack.backend.advisor.rewrite.statements import (
    create_schema_sql,
    design_table,
    named_table,
    new_schema_name,
)
from heavy_stack.backend.advisor.rules.prejoin.prejoins import narrowed
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.names import NameMaker
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.sql.catalog import Catalog

__all__ = ["rewrite"]

TIME_SHARE = 0.3
"""Of the time left, for rewriting; verification needs the rest. The often run texts come first."""
_NO_TIME = "The time for rewriting ended before this text."


def rewrite(workload: Workload, parsed: ParsedWorkload, profile: WorkloadProfile, plan: Plan, ports: Ports) -> Rewrite:
    """Rewrite every text that the plan's tables answer; the same path serves texts that came after the design."""
    catalog = Catalog(parsed.tables)
    frozen = workload.frozen
    if frozen is None:
        schema = new_schema_name(workload.task_id, {table.name.schema for table in parsed.tables})
        create_schema = create_schema_sql(parsed.catalog, schema)
        tables = _design(plan.chosen, parsed.catalog, schema)
    else:
        schema, create_schema, tables = frozen.schema_name, frozen.create_schema, list(frozen.tables)
    names = {table.candidate: table.name for table in tables}
    analyst = Analyst(catalog, _flags(plan.chosen))
    chain = Chain(analyst, plan.chosen, tables, profile.facts, Sizes(profile.facts, None, ports.deadline))
    texts: list[RewrittenText] = []
    failed: dict[int, str] = {}
    groups = by_shape((text for text in parsed.texts if text.sql is not None and tables), profile.runs)
    until = ports.deadline.left_s() * (1 - TIME_SHARE)

    def one(text: ParsedText) -> RewrittenText | str:
        return chain.rewrite(text) if ports.deadline.left_s() >= until else _NO_TIME

    for index, group in enumerate(groups):
        if index % 10 == 0:
            ports.progress.report(index / len(groups), f"Rewriting shape {index + 1} of {len(groups)}")
        # What propose or select found out about a text, or about one of its shape, says more.
        known = next((plan.unanswered[text.text] for text in group if text.text in plan.unanswered), None)
        for text, outcome in rewrite_alike(group, one):
            if isinstance(outcome, str):
                failed[text.text] = plan.unanswered.get(text.text, known or outcome)
            else:
                texts.append(outcome)
    if frozen is None:
        tables = _narrowed(tables, plan.chosen, catalog, chain.read)
    # A frozen design comes back whole; else a table that no query reads is not worth building.
    read = {name for text in texts for name in text.tables} if frozen is None else set(names.values())
    return Rewrite(
        schema_name=schema,
        create_schema=create_schema,
        tables=tuple(table for table in tables if table.name in read),
        texts=tuple(sorted(texts, key=lambda text: text.text)),
        failed=failed,
    )


def _design(chosen: tuple[Candidate, ...], catalog: str, schema: str) -> list[DesignTable]:
    names = NameMaker()
    return [design_table(candidate, catalog, schema, names) for candidate in chosen]


def _narrowed(
    tables: list[DesignTable], chosen: tuple[Candidate, ...], catalog: Catalog, read: Mapping[TableName, set[str]]
) -> list[DesignTable]:
    """Pre-joined tables without the columns that no text reads: what other tables answer is not stored twice."""
    candidates = {each.id: each for each in chosen}
    return [
        named_table(narrowed(candidates[table.candidate], catalog, read[table.name]), table.name)
        if read.get(table.name)
        else table
        for table in tables
    ]


def _flags(chosen: tuple[Candidate, ...]) -> set[tuple[str, str]]:
    """The flags as they were when the tables were designed: a literal is baked in the same way as then."""
    return {(str(table), str(column)) for each in chosen for table, column in each.evidence.get("flags", ())}
