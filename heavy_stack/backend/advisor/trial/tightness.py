"""How tightly the client's files are written, so that the bytes of a design are weighed against like.

A share of the client's bytes is allowed for new tables. Files that are compressed less than the design's will be would
allow more than that share once both are written by one writer.
"""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ParsedWorkload, Table, TableName, WorkloadProfile
from heavy_stack.backend.advisor.ports import BuiltTable, Ports

LARGEST = 4
"""Tables looked at: they hold nearly all bytes."""
SAMPLE_ROWS = 400_000
"""Of each."""
LIMIT_S = 30.0


def tightness(parsed: ParsedWorkload, profile: WorkloadProfile, schema: str, ports: Ports) -> float:
    """The bytes that the client's largest tables would take in the design's files, as a share of what they take.

    Args:
        parsed, profile: The client's tables.
        schema: The design's schema.
        ports: To write with.

    Returns:
        At most 1; 1 where nothing could be written.
    """
    known = [
        (facts.bytes, facts.rows, table)
        for table in parsed.tables
        if (facts := profile.facts.get(str(table.name))) is not None and facts.bytes and facts.rows
    ]
    largest = sorted(known, key=lambda each: (-each[0], str(each[2].name)))[:LARGEST]
    samples = [_sample(table, schema, number) for number, (_, _, table) in enumerate(largest)]
    theirs = ours = 0.0
    for (size, rows, _), written in zip(largest, ports.runner.build(samples, limit_s=LIMIT_S), strict=True):
        if isinstance(written, BuiltTable) and written.rows:
            theirs += size
            ours += written.bytes / written.rows * rows
    return min(1.0, ours / theirs) if theirs > 0 else 1.0


def _sample(table: Table, schema: str, number: int) -> tuple[TableName, str, str]:
    """Name, CREATE and INSERT of the table's first rows as the design would hold them."""
    name = TableName(table.name.catalog, schema, f"written_alike_{number}")
    columns = ", ".join(f"{_quoted(column.name)} {column.type}" for column in table.columns)
    names = ", ".join(_quoted(column.name) for column in table.columns)
    insert = f"INSERT INTO {_full(name)} ({names}) SELECT {names} FROM {_full(table.name)} LIMIT {SAMPLE_ROWS}"  # noqa: S608
    return name, f"CREATE TABLE {_full(name)} ({columns}) WITH (format = 'PARQUET')", insert


def _full(name: TableName) -> str:
    return ".".join(map(_quoted, (name.catalog, name.schema, name.name)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
