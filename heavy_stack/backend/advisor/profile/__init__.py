"""profile: what is known about the tables and how often each text runs. No query of the client is run."""

from __future__ import annotations

import time
from collections import Counter

from heavy_stack.backend.advisor.artefacts import (
    ParsedText,
    ParsedWorkload,
    TableFacts,
    TableName,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import EngineFacts, Ports
from heavy_stack.backend.advisor.profile.columns import deciding_columns
from heavy_stack.backend.advisor.profile.representatives import design_runs
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.parsing import SqlProblem

ANALYSIS_SHARE = 0.1
"""Of the time left, for finding the columns: texts that come too late only lack statistics."""


def profile(workload: Workload, parsed: ParsedWorkload, ports: Ports) -> WorkloadProfile:
    """Statistics of every table of the DDL; of columns, those that filters, joins and group keys use.

    Without an engine the facts are empty and the note says why.
    """
    runs = Counter[int]()
    for query in workload.queries:
        runs[query.text] += query.runquantity
    facts: dict[str, TableFacts] = {}
    engine = ports.facts
    if engine is not None:
        ports.progress.report(0.0, "Finding the columns that decide")
        columns = _columns_by_table(parsed, runs, ports)
        facts = _table_facts(engine, parsed, columns, ports)
    return WorkloadProfile(
        engine=engine.name if engine is not None else None,
        reachable=engine is not None,
        note=ports.note,
        snapshot=engine.snapshot if engine is not None else None,
        at=engine.at if engine is not None else None,
        facts=facts,
        runs=dict(runs),
        design_runs=design_runs(parsed.texts, runs),
    )


def _columns_by_table(parsed: ParsedWorkload, runs: Counter[int], ports: Ports) -> dict[TableName, set[str]]:
    catalog = Catalog(parsed.tables)
    columns: dict[TableName, set[str]] = {}
    ends = time.monotonic() + max(0.0, ports.deadline.left_s()) * ANALYSIS_SHARE
    for text in _one_per_shape(parsed, runs):
        if time.monotonic() > ends:
            break
        try:
            tree = qualified(text.sql or "", catalog)
        except SqlProblem:
            continue  # parse has its place and its reason
        for table, column in deciding_columns(tree, catalog):
            columns.setdefault(table, set()).add(column)
    return columns


def _one_per_shape(parsed: ParsedWorkload, runs: Counter[int]) -> list[ParsedText]:
    """One text of each fingerprint, most often run first: literals do not change which columns decide."""
    shapes: dict[str, ParsedText] = {}
    weights = Counter[str]()
    for text in parsed.texts:
        if text.sql is not None:
            key = text.fingerprint or f"text {text.text}"
            shapes.setdefault(key, text)
            weights[key] += runs[text.text]
    return sorted(shapes.values(), key=lambda text: -weights[text.fingerprint or f"text {text.text}"])


def _table_facts(
    engine: EngineFacts, parsed: ParsedWorkload, columns: dict[TableName, set[str]], ports: Ports
) -> dict[str, TableFacts]:
    facts: dict[str, TableFacts] = {}
    for index, table in enumerate(parsed.tables):
        ports.progress.report(0.2 + 0.8 * index / len(parsed.tables), f"Reading statistics of {table.name.name}")
        names = columns.get(table.name, set())
        found = engine.table_facts(table, [c.name for c in table.columns if c.name.lower() in names])
        if found is not None:
            facts[str(table.name)] = found
    return facts
