"""The download: an answer as a zip of .sql files in the order in which they run.

    README.txt       what runs in which order, and how to undo it
    ddl/ migrations/ one numbered file per statement
    queries/         one file per different text, and index.json: queryid → file, verdict, reason
    refresh.sql maintenance.sql rollback.sql report.json
    duckdb/          the same for DuckDB, where the task has it: setup/ ddl/ migrations/ queries/ rollback.sql

A queryid is the client's text: it is cut down to harmless characters before it becomes part of a file name. The same
answer always gives the same bytes.
"""

from __future__ import annotations

import io
import string
import zipfile
from collections.abc import Sequence

import orjson

from heavy_stack.shared_models.answers import AnswerView

_SAFE = frozenset(string.ascii_letters + string.digits + "-_")
_MAX_NAME = 60
_COMPRESSION_LEVEL = 6


def pack_answer(answer: AnswerView) -> bytes:
    """The zip's bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive:
        files = _Files(archive)
        report = answer.report
        files.add("README.txt", _readme(answer))
        files.add_numbered("ddl", [item.statement for item in answer.ddl])
        files.add_numbered("migrations", [item.statement for item in answer.migrations])
        _add_queries(files, answer)
        files.add_script("refresh.sql", report.refresh)
        files.add_script("maintenance.sql", report.maintenance)
        files.add_script("rollback.sql", report.rollback)
        files.add("report.json", report.model_dump_json(indent=2))
        for part, statements in report.duckdb.items():
            if part in ("rollback", "refresh", "maintenance"):
                files.add_script(f"duckdb/{part}.sql", statements)
            else:
                files.add_numbered(f"duckdb/{_safe(part)}", statements)
    return buffer.getvalue()


class _Files:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, text: str) -> None:
        entry = zipfile.ZipInfo(name)  # dated 1980: the bytes do not depend on the clock
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        self._archive.writestr(entry, text)

    def add_numbered(self, folder: str, statements: Sequence[str]) -> None:
        for number, statement in enumerate(statements, 1):
            self.add(f"{folder}/{number:05d}.sql", _terminated(statement))

    def add_script(self, name: str, statements: Sequence[str]) -> None:
        if statements:
            self.add(name, "\n".join(map(_terminated, statements)))


def _add_queries(files: _Files, answer: AnswerView) -> None:
    texts = {query.queryid: answer.report.texts[query.text] for query in answer.report.queries}
    names: dict[str, str] = {}
    index = []
    for query in answer.queries:
        name = names.get(query.query)
        if name is None:
            name = names[query.query] = f"{len(names) + 1:05d}_{_safe(query.queryid)}.sql"
            files.add(f"queries/{name}", _terminated(query.query))
        text = texts.get(query.queryid)
        index.append(
            {
                "queryid": query.queryid,
                "file": name,
                "verdict": text.verdict if text else None,
                "reason": text.reason if text else None,
            }
        )
    files.add("queries/index.json", orjson.dumps(index, option=orjson.OPT_INDENT_2).decode())


def _safe(name: str) -> str:
    kept = "".join(character if character in _SAFE else "_" for character in name[:_MAX_NAME])
    return kept or "query"


def _terminated(statement: str) -> str:
    # On a line of its own: a text that ends in a comment would swallow the semicolon.
    return f"{statement}\n;\n"


def _readme(answer: AnswerView) -> str:
    report = answer.report
    lines = [
        report.headline,
        report.as_of.sentence,
        "",
        "Run in this order, each folder by file name:",
        "  1. ddl/           makes the new schema and its tables; your tables are not touched",
        "  2. migrations/    fills them from your tables",
        "  3. queries/       the queries to run from then on; queries/index.json says which file is whose",
    ]
    if report.refresh:
        lines.append("refresh.sql      brings the new tables up to date after a write; can be repeated")
    if report.maintenance:
        lines.append("maintenance.sql  optional: statistics for the new tables")
    if report.rollback:
        lines.append("rollback.sql     undoes all of it")
    lines.append("report.json      verdicts, evidence, sizes and times")
    if report.duckdb:
        lines.append("duckdb/          the same in DuckDB's SQL: setup/ (your tables), ddl/, migrations/, queries/")
    lines += ["", f"Task {answer.taskid}. The statements are Trino's SQL.", ""]
    return "\n".join(lines)
