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
    TableName,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.rewrite.all_ways import AllWays
from heavy_stack.backend.advisor.rewrite.by_fingerprint import by_shape
from heavy_stack.backend.advisor.rewrite.chain import Chain
from heavy_stack.backend.advisor.rewrite.statements import (
    create_schema_sql,
    design_table,
    flags_of,
    named_table,
    new_schema_name,
)
from heavy_stack.backend.advisor.rules.prejoin.prejoins import narrowed
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.names import NameMaker
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.sql.catalog import Catalog

__all__ = ["rewrite"]


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
    analyst = Analyst(catalog, flags_of(plan.chosen))
    chain = Chain(analyst, plan.chosen, tables, profile.facts, Sizes(profile.facts, None, ports.deadline))
    groups = by_shape((text for text in parsed.texts if text.sql is not None and tables), profile.runs)
    found = AllWays(chain, ports.deadline, plan.ways)
    for index, group in enumerate(groups):
        if index % 10 == 0:
            ports.progress.report(index / len(groups), f"Rewriting shape {index + 1} of {len(groups)}")
        found.rewrite(group)
    found.add_others(groups)
    if frozen is None:
        tables = _narrowed(tables, plan.chosen, catalog, found.columns)
    ways = [*found.first.values(), *(way for several in found.others.values() for way in several)]
    # A frozen design comes back whole; else a table that no query could read is not worth building.
    read = {name for way in ways for name in way.tables}
    return Rewrite(
        schema_name=schema,
        create_schema=create_schema,
        tables=tuple(table for table in tables if frozen is not None or table.name in read),
        texts=tuple(sorted(found.first.values(), key=lambda text: text.text)),
        failed=_failed(groups, found.failed, plan),
        others=found.others,
    )


def _failed(groups: list[list[ParsedText]], failed: Mapping[int, str], plan: Plan) -> dict[int, str]:
    """Why texts are not rewritten: what propose or select found out about one, or about one of its shape, says more."""
    reasons: dict[int, str] = {}
    for group in groups:
        known = next((plan.unanswered[text.text] for text in group if text.text in plan.unanswered), None)
        for text in group:
            if text.text in failed:
                reasons[text.text] = plan.unanswered.get(text.text, known or failed[text.text])
    return reasons


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
