"""The statements of a design table: CREATE, INSERT, and a refresh that is atomic and can be repeated."""

from __future__ import annotations

from collections.abc import Iterable

from heavy_stack.backend.advisor.artefacts import Candidate, DesignTable, TableName
from heavy_stack.backend.advisor.rules.rollup.names import MAX_TABLE, NameMaker, name_of_table, slug
from heavy_stack.backend.advisor.rules.rollup.rollups import DIMENSION

_PROPERTIES = "WITH (format = 'PARQUET')"


def new_schema_name(task_id: str, taken: Iterable[str]) -> str:
    """A schema name that no table of the DDL lies in; unique for the task."""
    used = {name.lower() for name in taken}
    base = f"heavy_{slug(task_id).replace('_', '')[:12] or 'design'}"
    name, number = base, 1
    while name in used:
        number += 1
        name = f"{base}_{number}"
    return name


def create_schema_sql(catalog: str, schema: str) -> str:
    """The first ddl statement."""
    return f"CREATE SCHEMA {_quoted(catalog)}.{_quoted(schema)}"


def design_table(candidate: Candidate, catalog: str, schema: str, names: NameMaker) -> DesignTable:
    """A candidate under its name, with its statements."""
    dimensions = [column.name for column in candidate.columns if column.role == DIMENSION]
    wanted = name_of_table((name.name for name in candidate.source_tables), dimensions)
    name = TableName(catalog, schema, names.fresh(wanted, MAX_TABLE))
    full = ".".join(map(_quoted, (name.catalog, name.schema, name.name)))
    columns = ", ".join(f"{_quoted(column.name)} {column.type}" for column in candidate.columns)
    listed = ", ".join(_quoted(column.name) for column in candidate.columns)
    ordered = candidate.select + _order(candidate, dimensions)
    return DesignTable(
        candidate=candidate.id,
        name=name,
        rule=candidate.rule,
        why=candidate.why,
        columns=candidate.columns,
        source_tables=candidate.source_tables,
        create=f"CREATE TABLE {full} ({columns}) {_PROPERTIES}",
        insert=f"INSERT INTO {full} ({listed}) {ordered}",
        refresh=f"CREATE OR REPLACE TABLE {full} {_PROPERTIES} AS {ordered}",
        rows_estimate=candidate.rows,
    )


def _order(candidate: Candidate, dimensions: list[str]) -> str:
    """Sorted by the dimensions with the fewest values first: equal values side by side take next to no room."""
    order = candidate.evidence.get("order") or range(len(dimensions))
    keys = [_quoted(dimensions[int(index)]) for index in order if int(index) < len(dimensions)]
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
