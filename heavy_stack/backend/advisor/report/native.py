"""The same answer in the embedded engine's own SQL, for tasks whose tables it reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from heavy_stack.backend.advisor.artefacts import DesignTable, QueryEntry
from heavy_stack.backend.advisor.ports import Deadline, NotCheckable, QueryRunner
from heavy_stack.backend.advisor.report.decisions import Decision

KEPT_S = 15.0
"""Seconds of the task that stay for writing and storing the answer."""


def native_statements(
    runner: QueryRunner,
    create_schema: str,
    tables: Sequence[DesignTable],
    rollback: Iterable[str],
    decisions: Sequence[Decision],
    queries: Sequence[QueryEntry],
    deadline: Deadline,
) -> tuple[dict[str, list[str]], int, int]:
    """`setup`, `ddl`, `migrations`, `queries` (one per text) and `rollback`.

    `setup` makes the client's tables visible under the names that the rest uses. Beside it: how many texts have no such
    form, and for how many the time was too short; the often run ones come first.
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
        return {}, len(decisions), 0
    named: dict[int, list[str]] = {}
    runs = Counter[int]()
    for query in queries:
        named.setdefault(query.text, []).append(query.queryid)
        runs[query.text] += query.runquantity
    texts: dict[int, str] = {}
    missing = late = 0
    for decision in sorted(decisions, key=lambda each: -runs[each.parsed.text]):
        if deadline.left_s() < KEPT_S:
            late += 1
            continue
        try:
            if decision.parsed.sql is None:
                raise NotCheckable("not analysed")
            text = runner.native(decision.query, creates)
        except NotCheckable:
            missing += 1
            continue
        number = decision.parsed.text
        texts[number] = f"-- {_label(named.get(number, []))}\n{text}"
    return {**parts, "queries": [texts[number] for number in sorted(texts)], "rollback": undo}, missing, late


def _label(queryids: Sequence[str]) -> str:
    # As JSON: a queryid is the client's text, and a newline in it would end the comment.
    first = json.dumps(queryids[0]) if queryids else "no query"
    return f"queryid {first}" + (f" and {len(queryids) - 1} more" if len(queryids) > 1 else "")
