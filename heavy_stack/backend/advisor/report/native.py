"""The same answer in the embedded engine's own SQL, for tasks whose tables it reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from heavy_stack.backend.advisor.artefacts import DesignTable, QueryEntry
from heavy_stack.backend.advisor.ports import NotCheckable, QueryRunner
from heavy_stack.backend.advisor.report.decisions import Decision


def native_statements(
    runner: QueryRunner,
    create_schema: str,
    tables: Sequence[DesignTable],
    rollback: Iterable[str],
    decisions: Sequence[Decision],
    queries: Sequence[QueryEntry],
) -> tuple[dict[str, list[str]], int]:
    """`setup`, `ddl`, `migrations`, `queries` (one per text) and `rollback`; and how many texts have no such form.

    `setup` makes the client's tables visible under the names that the rest uses.
    """
    creates = [table.create for table in tables]
    try:
        parts = {
            "setup": list(runner.native_setup()),
            "ddl": [runner.native(statement) for statement in (create_schema, *creates)],
            "migrations": [runner.native(table.insert, creates) for table in tables],
        }
        undo = [runner.native(statement) for statement in rollback]
    except NotCheckable:
        return {}, len(decisions)
    named: dict[int, list[str]] = {}
    for query in queries:
        named.setdefault(query.text, []).append(query.queryid)
    texts: list[str] = []
    missing = 0
    for decision in decisions:
        try:
            if decision.parsed.sql is None:
                raise NotCheckable("not analysed")
            text = runner.native(decision.query, creates)
        except NotCheckable:
            missing += 1
            continue
        texts.append(f"-- {_label(named.get(decision.parsed.text, []))}\n{text}")
    return {**parts, "queries": texts, "rollback": undo}, missing


def _label(queryids: Sequence[str]) -> str:
    # As JSON: a queryid is the client's text, and a newline in it would end the comment.
    first = json.dumps(queryids[0]) if queryids else "no query"
    return f"queryid {first}" + (f" and {len(queryids) - 1} more" if len(queryids) > 1 else "")
