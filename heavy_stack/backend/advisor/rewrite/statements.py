"""The statements of a design table: CREATE, INSERT, and a refresh that is atomic and can be repeated."""

from __future__ import annotations

from collections.abc import Iterable

from heavy_stack.backend.advisor.artefacts import Candidate, DesignTable, TableName
from heavy_stack.backend.advisor.rules.prejoin.prejoins import RULE_ID as PREJOIN
from heavy_stack.backend.advisor.rules.rollup.names import MAX_TABLE, NameMaker, name_of_table, slug
from heavy_stack.backend.advisor.rules.rollup.rollups import DIMENSION

SORTED_FROM_ROWS = 100_000
"""A smaller rollup is a file or two, whose order neither saves room nor spares reading."""

MAX_TIES = 3
"""Columns that order what the sort leaves level: rows of one key lie together."""


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
    """A candidate under a name of its own, with its statements."""
    dimensions = [column.name for column in candidate.columns if column.role == DIMENSION]
    sources = (name.name for name in candidate.source_tables)
    wanted = _name_of_prejoin(candidate) if candidate.rule == PREJOIN else name_of_table(sources, dimensions)
    return named_table(candidate, TableName(catalog, schema, names.fresh(wanted, MAX_TABLE)))


def flags_of(candidates: Iterable[Candidate]) -> set[tuple[str, str]]:
    """The flags as they were when the tables were designed: a literal is baked in the same way as then."""
    return {(str(table), str(column)) for each in candidates for table, column in each.evidence.get("flags", ())}


def named_table(candidate: Candidate, name: TableName) -> DesignTable:
    """A candidate under this name, with its statements."""
    dimensions = [column.name for column in candidate.columns if column.role == DIMENSION]
    is_plain = candidate.rule == PREJOIN
    full = ".".join(map(_quoted, (name.catalog, name.schema, name.name)))
    columns = ", ".join(f"{_quoted(column.name)} {column.type}" for column in candidate.columns)
    listed = ", ".join(_quoted(column.name) for column in candidate.columns)
    sort = _sort(candidate) if is_plain else _order(candidate, dimensions)
    ordered = candidate.select + _order_by(sort)
    sorted_files = is_plain or (candidate.rows or 0) >= SORTED_FROM_ROWS
    partition = candidate.evidence.get("partition")
    parts = _listing("partitioning", [str(partition)] if partition else [])
    properties = f"WITH (format = 'PARQUET'{parts}{_listing('sorted_by', sort if sorted_files else [])})"
    return DesignTable(
        candidate=candidate.id,
        name=name,
        rule=candidate.rule,
        why=candidate.why,
        columns=candidate.columns,
        source_tables=candidate.source_tables,
        create=f"CREATE TABLE {full} ({columns}) {properties}",
        insert=f"INSERT INTO {full} ({listed}) {ordered}",
        refresh=f"CREATE OR REPLACE TABLE {full} {properties} AS {ordered}",
        rows_estimate=candidate.rows,
    )


def _sort(candidate: Candidate) -> list[str]:
    """What is filtered most, then a few of the fact's keys as far as the table has them."""
    sort = [str(name) for name in candidate.evidence.get("sort", ())]
    stored = {column.name for column in candidate.columns} - set(sort)
    ties = [str(name) for name in candidate.evidence.get("ties", ()) if name in stored]
    return [*sort, *ties[:MAX_TIES]] if sort else []


def _order(candidate: Candidate, dimensions: list[str]) -> list[str]:
    """The dimensions with the fewest values first: equal values side by side take next to no room."""
    order = candidate.evidence.get("order") or range(len(dimensions))
    return [dimensions[int(index)] for index in order if int(index) < len(dimensions)]


def _order_by(columns: list[str]) -> str:
    return f" ORDER BY {', '.join(map(_quoted, columns))}" if columns else ""


def _listing(property_name: str, values: list[str]) -> str:
    """Trino drops an ORDER BY that an INSERT does not need; the table's `sorted_by` makes it sort."""
    listed = ", ".join(map(_text, values))
    return f", {property_name} = ARRAY[{listed}]" if values else ""


def _name_of_prejoin(candidate: Candidate) -> str:
    """`sales_with_customer_date`; a copy without joined tables is `sales_sorted_by_day`."""
    fact = str(candidate.evidence["fact"][-1])
    joined = [str(role[0]) for role in candidate.evidence["roles"]]
    sort = "_".join(str(name) for name in candidate.evidence.get("sort", ()))
    if joined:
        return slug(f"{fact}_with_{'_'.join(joined)}")
    return slug(f"{fact}_sorted_by_{sort}" if sort else f"{fact}_narrow")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
