"""`connect`: from a task's url to the ports that its stages use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import heavy_stack.backend.engines.duckdb_sql as duckdb_sql
from heavy_stack.backend.advisor.artefacts import ParsedWorkload, Table, TableName, Workload
from heavy_stack.backend.advisor.ports import Deadline, NotCheckable, Ports, Progress, RunFailed, RunTimeout
from heavy_stack.backend.engines.addresses import Unreachable, find_lake
from heavy_stack.backend.engines.duckdb_client import EngineProcess, Opening
from heavy_stack.backend.engines.duckdb_facts import DuckdbFacts
from heavy_stack.backend.engines.duckdb_lake import (
    Lake,
    NotThere,
    attach_source,
    create_schemas,
    create_view,
    read_lake,
    relation,
)
from heavy_stack.backend.engines.duckdb_runner import DuckdbRunner
from heavy_stack.backend.engines.duckdb_types import duckdb_type
from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.backend.engines.translation import Translation, Translator

_INSPECT_LIMIT_S = 30.0
_NAMED_IN_NOTE = 3


@contextmanager
def connect(
    workload: Workload,
    parsed: ParsedWorkload,
    options: EngineOptions,
    credentials: Mapping[str, str] | None,
    progress: Progress,
    deadline: Deadline,
    *,
    translator: Translator = duckdb_sql,
) -> Iterator[Ports]:
    """The ports for one task; leaving the context ends every engine process and removes what was built.

    An engine that cannot be reached is no error: `Ports.facts` is None and `Ports.note` says why. Rows of ours can be
    run on in any case.

    Args:
        workload, parsed: The artefacts of ingest and parse.
        options: Limits and folders.
        credentials: For engines that want some; DuckDB needs none.
        progress, deadline: Passed on.
        translator: Trino's SQL to DuckDB's.
    """
    work_dir = options.scratch_dir / Path(workload.task_id).name
    shutil.rmtree(work_dir, ignore_errors=True)  # of a run that was killed
    work_dir.mkdir(mode=0o700, parents=True)
    translation = Translation(parsed.tables, translator)
    facts: DuckdbFacts | None = None
    opening: Opening | None = None
    note: str | None = None
    process = EngineProcess(options, work_dir / "facts")
    try:
        try:
            lake, opening = _open_lake(process, find_lake(workload.url, options), parsed.tables)
            facts = DuckdbFacts(process, lake, translation, deadline, datetime.now(UTC).isoformat(timespec="seconds"))
            note = _note_missing(lake)
        except Unreachable as reason:
            note = str(reason)
            process.close()
        runner = DuckdbRunner(options, work_dir, translation, deadline, opening)
        try:
            yield Ports(runner=runner, progress=progress, deadline=deadline, facts=facts, note=note)
        finally:
            runner.close()
    finally:
        process.close()
        shutil.rmtree(work_dir, ignore_errors=True)


def _open_lake(process: EngineProcess, path: Path, tables: tuple[Table, ...]) -> tuple[Lake, Opening]:
    """Open the process on the lake's tables; afterwards `lake.tables` are those that can really be read."""
    lake = read_lake(path, tables)
    missing = dict(lake.missing)
    shown: dict[TableName, str] = {}
    try:
        process.open(Opening(setup=tuple(attach_source(lake)), allowed=lake.allowed_folders()))
    except (RunFailed, RunTimeout) as error:
        raise Unreachable(f"The url's file cannot be opened: {error}") from error
    for table in tables:
        if table.name not in lake.tables:
            continue
        source = relation(lake, lake.tables[table.name])
        try:
            columns = _describe(process, source)
            _, shown[table.name] = create_view(table, source, columns, duckdb_type)
        except (NotThere, NotCheckable) as reason:
            missing[table.name] = str(reason)
        except (RunFailed, RunTimeout) as error:
            missing[table.name] = f"its files cannot be read ({error})"
    lake = Lake(path, {name: lake.tables[name] for name in shown}, missing)
    if not shown:
        raise Unreachable(f"None of the DDL's tables can be read from the url. {_note_missing(lake)}")
    setup = [*attach_source(lake), *create_schemas([table.name for table in tables])]
    setup += [(str(name), view) for name, view in shown.items()]
    opening = Opening(setup=tuple(setup), allowed=lake.allowed_folders())
    try:
        process.open(opening)
    except (RunFailed, RunTimeout) as error:
        raise Unreachable(f"The url's tables cannot be shown under the DDL's names: {error}") from error
    return lake, opening


def _describe(process: EngineProcess, source: str) -> dict[str, str]:
    sql = f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {source})"
    _, rows, _, _ = process.query(sql, limit_s=_INSPECT_LIMIT_S, max_rows=100_000)
    return {str(name): str(kind) for name, kind in rows}


def _note_missing(lake: Lake) -> str | None:
    if not lake.missing:
        return None
    named = [f"{name}: {why}" for name, why in list(lake.missing.items())[:_NAMED_IN_NOTE]]
    more = len(lake.missing) - len(named)
    if more:
        named.append(f"{more} more")
    return f"{len(lake.missing)} of {len(lake.missing) + len(lake.tables)} tables cannot be read ({'; '.join(named)})."
