"""The answer as the bytes that `/getresult` sends."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from heavy_stack.backend.advisor.artefacts import Answer

_META = b'{"tokens_used":0}'


def render_answer(task_id: str, answer: Answer) -> bytes:
    """JSON (UTF-8): ddl, migrations, queries, and beside them taskid, status, result, meta, report.

    A month's log has each text many times over: every distinct text is encoded once, and the parts are joined once.
    """
    encoded: dict[str, bytes] = {}
    queries: list[bytes] = []
    for queryid, text in answer.queries:
        if text not in encoded:
            encoded[text] = _json(text)
        queries.append(b'{"queryid":' + _json(queryid) + b',"query":')
        queries.append(encoded[text])
        queries.append(b"},")
    if queries:
        queries[-1] = b"}"
    head = b'{"ddl":%b,"migrations":%b,"queries":[' % (_statements(answer.ddl), _statements(answer.migrations))
    tail = b'],"taskid":%b,"status":"DONE","result":{"ok":true,"meta":%b},"meta":%b,"report":%b}' % (
        _json(task_id),
        _META,
        _META,
        answer.report.model_dump_json().encode(),
    )
    return b"".join((head, *queries, tail))


def _statements(statements: Iterable[str]) -> bytes:
    return orjson.dumps([{"statement": statement} for statement in statements])


def _json(text: str) -> bytes:
    return orjson.dumps(text)
