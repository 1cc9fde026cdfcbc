"""Replay an answer on a real Trino: every statement accepted, every query with the original's rows.

    python dev_scripts/replay_on_trino.py WORKLOAD.json ANSWER.json DATA_FOLDER --server FOLDER [--port 18490]

WORKLOAD.json is what was sent to POST /new, ANSWER.json what GET /getresult answered. A table c.s.t has its rows in
DATA_FOLDER/s/t/*.parquet (or DATA_FOLDER/t/*.parquet, or DATA_FOLDER/t.parquet). FOLDER is where
dev_scripts/trino_server.py keeps its server; one is started for the run. The design's schema is dropped at the end;
--keep leaves it.

Prints one line per statement and per query, and ends with 1 if anything failed or differs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlglot import exp
from trino.dbapi import Connection
from trino.exceptions import Error, TrinoQueryError

from dev_scripts.trino_server import Server, ServerFailed
from heavy_stack.backend.advisor.ports import ResultSet
from heavy_stack.backend.advisor.sql.comparator import Comparison, compare
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.parsing import parse_statement
from heavy_stack.backend.advisor.sql.printing import trino_sql

_NODES_WITHIN_S = 60.0
_MOMENTS = (
    exp.Corr,
    exp.Stddev,
    exp.StddevPop,
    exp.StddevSamp,
    exp.Variance,
    exp.VariancePop,
    exp.CovarPop,
    exp.CovarSamp,
)


@dataclass
class Tally:
    """What went well and what did not."""

    passed: int = 0
    failed: int = 0
    seconds: dict[str, tuple[float, float]] = field(default_factory=dict)

    def note(self, good: bool, line: str) -> None:
        """Count and print one outcome."""
        self.passed += good
        self.failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {line}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Start Trino, attach the data, replay, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workload", type=Path)
    parser.add_argument("answer", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--server", type=Path, required=True, help="folder of dev_scripts/trino_server.py")
    parser.add_argument("--port", type=int, default=18490)
    parser.add_argument("--java")
    parser.add_argument("--keep", action="store_true", help="leave the design's tables")
    options = parser.parse_args(arguments)
    workload = json.loads(options.workload.read_text("utf-8"))
    answer = json.loads(options.answer.read_text("utf-8"))
    creates = [create_of(entry["statement"]) for entry in workload["ddl"]]
    catalogs = sorted({create.this.find(exp.Table).catalog for create in creates})
    tally = Tally()
    try:
        server = Server(options.server, options.port, catalogs, options.java)
    except ServerFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    try:
        server.wait()
        with server.connect("replay") as connection:
            for create in creates:
                attach(connection, server, create, options.data, tally)
            replay(connection, workload, answer, tally)
            if not options.keep:
                drop_design(connection, answer)
    except ServerFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        server.close()
    summary(tally)
    return 1 if tally.failed else 0


def create_of(statement: str) -> exp.Create:
    """The parsed CREATE TABLE of a workload's DDL."""
    tree = parse_statement(statement)
    if not isinstance(tree, exp.Create) or not isinstance(tree.this.find(exp.Table), exp.Table):
        raise SystemExit(f"not a CREATE TABLE: {statement[:80]}")
    return tree


def attach(connection: Connection, server: Server, create: exp.Create, data: Path, tally: Tally) -> None:
    """Create a table of the workload and give it its Parquet files without rewriting them."""
    table = create.this.find(exp.Table)
    if table is None:
        raise SystemExit("a CREATE TABLE without a name")
    name = ".".join(f'"{part.name}"' for part in table.parts)
    source = files_of(data, table.db, table.name)
    if source is None:
        tally.note(False, f"no Parquet file for {table.db}.{table.name} below {data}")
        return
    folder = server.lake_folder(table.catalog) / "attached" / table.db / table.name
    columns = ", ".join(
        f'"{column.name}" {column.args["kind"].sql(dialect="trino")}' for column in create.this.find_all(exp.ColumnDef)
    )
    place = f"local:///attached/{table.db}/{table.name}"
    try:
        run(connection, f'CREATE SCHEMA IF NOT EXISTS "{table.catalog}"."{table.db}"')
        run(connection, f"DROP TABLE IF EXISTS {name}")
        # Only now: dropping a table of an earlier run deletes the files that were attached to it.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in source:
            link_or_copy(file, folder / file.name)
        run(connection, f"CREATE TABLE {name} ({columns}) WITH (format = 'PARQUET')")
        run(connection, f"ALTER TABLE {name} EXECUTE add_files(location => '{place}', format => 'PARQUET')")
        rows = run(connection, f"SELECT count(*) FROM {name}")[0].rows[0][0]  # noqa: S608
    except Error as error:
        tally.note(False, f"{name}: {brief(error)}")
        return
    tally.note(rows > 0, f"{name}: {rows:,} rows attached")


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system has them: Trino only ever removes the name."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def files_of(data: Path, schema: str, name: str) -> list[Path] | None:
    """The Parquet files of a table."""
    for folder in (data / schema / name, data / name):
        found = sorted(folder.glob("*.parquet"))
        if found:
            return found
    single = [path for path in (data / schema / f"{name}.parquet", data / f"{name}.parquet") if path.exists()]
    return single or None


def replay(connection: Connection, workload: dict[str, Any], answer: dict[str, Any], tally: Tally) -> None:
    """Run ddl, migrations and queries in the contract's order, and compare each query with its original."""
    drop_design(connection, answer)
    for key in ("ddl", "migrations"):
        for number, entry in enumerate(answer[key], 1):
            try:
                _, seconds = run(connection, entry["statement"])
                tally.note(True, f"{key} {number}: {seconds:.2f} s, {shown(entry['statement'])}")
            except Error as error:
                tally.note(False, f"{key} {number}: {brief(error)}: {shown(entry['statement'])}")
    answered = {entry["queryid"]: entry["query"] for entry in answer["queries"]}
    sent = [entry["queryid"] for entry in workload["queries"]]
    if sorted(answered) != sorted(sent):
        tally.note(False, "the answer's queryids are not the workload's")
    for entry in workload["queries"]:
        if entry["queryid"] in answered:
            one_query(connection, entry["queryid"], entry["query"], answered[entry["queryid"]], tally)


def one_query(connection: Connection, queryid: str, original: str, answered: str, tally: Tally) -> None:
    """Run both texts; one that is unchanged needs to be accepted only."""
    text = original.strip().rstrip(";")
    try:
        before, before_s = run(connection, text)
    except Error as error:
        fails_alike = not succeeds(connection, answered)
        tally.note(fails_alike, f"{queryid}: the original fails itself: {brief(error)}")
        return
    try:
        after, after_s = run(connection, answered)
    except Error as error:
        tally.note(False, f"{queryid}: the answer fails: {brief(error)}")
        return
    tally.seconds[queryid] = (before_s, after_s)
    outcome = compare(before, after, moments=moments_of(text, len(before.names)))
    if not outcome.equal and len(before.rows) == len(after.rows):
        outcome = without_limit(connection, text, answered, (before, after)) or outcome
    word = "unchanged" if answered.strip() == text else "rewritten"
    times = f"{before_s:.2f} s → {after_s:.2f} s"
    tally.note(outcome.equal, f"{queryid}: {word}, {times}, {outcome.detail}")


def without_limit(
    connection: Connection, original: str, answered: str, cut: tuple[ResultSet, ResultSet]
) -> Comparison | None:
    """Rows that tie at the LIMIT may differ: then all rows before it must be equal, and the keys of those kept."""
    trees = [parse_statement(sql) for sql in (original, answered)]
    keys = order_keys(trees[0])
    if keys is None or any(tree.args.get("order") is None or tree.args.get("limit") is None for tree in trees):
        return None
    for tree in trees:
        tree.set("limit", None)
        tree.set("offset", None)
    whole = [run(connection, trino_sql(tree))[0] for tree in trees]
    outcome = compare(whole[0], whole[1], moments=moments_of(original, len(whole[0].names)))
    kept = compare(*(only(side, keys) for side in cut), moments=moments_of(original, len(keys)))
    if not (outcome.equal and kept.equal):
        return outcome if kept.equal else kept
    return Comparison(
        True, f"{len(cut[0].rows)} rows of {len(whole[0].rows)}, some tie at the LIMIT; all are equal before it"
    )


def order_keys(tree: exp.Expr) -> list[int] | None:
    """Output positions of the ORDER BY's keys; None unless all are outputs."""
    order = tree.args.get("order")
    if order is None or not isinstance(tree, exp.Query):
        return None
    names = [name.lower() for name in tree.named_selects]
    found = []
    for item in order.expressions:
        key = item.this
        position = int(key.name) - 1 if isinstance(key, exp.Literal) and key.is_int else None
        if position is None and isinstance(key, exp.Column) and names.count(key.name.lower()) == 1:
            position = names.index(key.name.lower())
        if position is None:
            return None
        found.append(position)
    return found


def only(result: ResultSet, positions: Sequence[int]) -> ResultSet:
    """Some columns of a result."""
    names, types = (tuple(side[i] for i in positions) for side in (result.names, result.types))
    return ResultSet(names, types, [tuple(row[i] for i in positions) for row in result.rows])


def succeeds(connection: Connection, sql: str) -> bool:
    """Whether a text runs at all."""
    try:
        run(connection, sql)
    except Error:
        return False
    return True


def moments_of(sql: str, width: int) -> tuple[int, ...]:
    """Columns that get the wider tolerance: all, when the query computes a deviation or correlation anywhere."""
    try:
        return tuple(range(width)) if parse_statement(sql).find(*_MOMENTS) is not None else ()
    except SqlProblem:
        return ()


def run(connection: Connection, sql: str) -> tuple[ResultSet, float]:
    """Run one statement to its last row; decimals stay decimals. A server that has no workers yet is waited for."""
    patience = time.monotonic() + _NODES_WITHIN_S
    while True:
        started = time.monotonic()
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
            rows = [tuple(row) for row in cursor.fetchall()]
            break
        except TrinoQueryError as error:
            if error.error_name != "NO_NODES_AVAILABLE" or time.monotonic() > patience:
                raise
            time.sleep(0.5)
    columns = cursor.description or []
    names, types = (tuple(str(column[i]) for column in columns) for i in (0, 1))
    return ResultSet(names, types, rows), time.monotonic() - started


def drop_design(connection: Connection, answer: dict[str, Any]) -> None:
    """Drop the schema that the answer's first statement creates, if it is there."""
    if not answer["ddl"]:
        return
    tree = parse_statement(answer["ddl"][0]["statement"])
    target = tree.find(exp.Table)
    if isinstance(tree, exp.Create) and tree.kind == "SCHEMA" and target is not None:
        run(connection, f'DROP SCHEMA IF EXISTS "{target.catalog}"."{target.db}" CASCADE')


def shown(sql: str) -> str:
    """The start of a statement on one line."""
    flat = " ".join(sql.split())
    return flat if len(flat) <= 100 else flat[:97] + "…"


def brief(error: Error) -> str:
    """Trino's message on one line."""
    message = getattr(error, "message", None) or str(error)
    return " ".join(str(message).split())[:300]


def summary(tally: Tally) -> None:
    """The counts, and the elapsed time of both sides (warm-up included: for correctness, not a benchmark)."""
    before, after = (sum(pair[i] for pair in tally.seconds.values()) for i in (0, 1))
    print(f"{tally.passed} ok, {tally.failed} failed; queries {before:.1f} s before, {after:.1f} s after")


if __name__ == "__main__":
    raise SystemExit(main())
