"""Thousands of tiny databases in one: every table has a column that says which of them a row belongs to.

A query is answered for all of them by one statement (`for_each_database`). That is some thousand databases per tenth of
a second, where opening them one by one would take minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from threading import Lock
from typing import Any

import heavy_stack.backend.engines.duckdb_sql as duckdb_sql
from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.parsing import SqlProblem, TooLarge
from heavy_stack.backend.engines.duckdb_client import OPEN_LIMIT_S, Opening
from heavy_stack.backend.engines.duckdb_lake import create_schemas, full_name, quoted
from heavy_stack.backend.engines.duckdb_rows import load_table
from heavy_stack.backend.engines.duckdb_types import shown_columns
from heavy_stack.backend.engines.translation import (
    Translated,
    Translation,
    create_statement,
    design_table,
    split_insert,
)

_REMEMBERED = 8
_NUMBER = Column(duckdb_sql.NUMBER, "integer", nullable=False)
_NO_ERROR = "SET error_on_division_by_zero = false"
"""So that one database keeps no others from an answer; one that matters is opened by itself, where it fails."""


class NumberedTranslation(Translation):
    """SELECTs that are run for each of many databases; the first column of the result is the database's number."""

    def __init__(self, tables: tuple[Table, ...], design: tuple[Table, ...]) -> None:
        super().__init__(tables, duckdb_sql, design)
        self._count = 0

    def over(self, count: int) -> NumberedTranslation:
        """The same for so many databases; what is translated for one number of them is known for all."""
        other = copy(self)
        other._count = count
        return other

    def select(self, sql: str, *, plain: bool = False) -> Translated:
        """One SELECT.

        Raises:
            NotCheckable
        """
        inner = super().select(sql, plain=plain)
        return replace(inner, sql=duckdb_sql.for_each_database(inner.sql, self._count))

    def _translate(self, sql: str, plain: bool) -> Translated:
        try:
            columns = duckdb_sql.output_columns(sql, self._catalog)
            inner = duckdb_sql.to_duckdb(sql, self._catalog, plain=plain, numbered=True)
        except (SqlProblem, TooLarge) as problem:
            raise NotCheckable(str(problem)) from problem
        names, types = (tuple(part) for part in zip(*columns, strict=True))
        return Translated(inner, (duckdb_sql.NUMBER, *names), (_NUMBER.type, *types))


class NumberedTranslations:
    """The last few, with all that they translated: the same tables come with other databases again."""

    def __init__(self) -> None:
        self._known: dict[object, NumberedTranslation] = {}
        self._lock = Lock()

    def of(self, tables: tuple[Table, ...], design: tuple[Table, ...]) -> NumberedTranslation:
        """The translation for these tables."""
        key = tuple((table.name, table.columns) for table in (*tables, *design))
        with self._lock:
            found = self._known.pop(key, None) or NumberedTranslation(tables, design)
            self._known[key] = found
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
        return found


def numbered_opening(
    tables: Sequence[Table],
    databases: Sequence[Mapping[TableName, Sequence[tuple[Any, ...]]]],
    design: Sequence[tuple[str, str]],
    limit_s: float,
    translations: NumberedTranslations,
    *,
    lenient: bool = False,
) -> tuple[Opening, NumberedTranslation]:
    """How a process gets all databases, and the translation of what is asked of them.

    Args:
        tables: The DDL's tables.
        databases: Rows by table, for each database.
        design: (CREATE TABLE, INSERT) pairs in Trino SQL; each is filled in every database.
        limit_s: Seconds for all of it.
        translations: Those of the openings before.
        lenient: What is divided by zero is NULL.

    Raises:
        NotCheckable: A table has no form here; the message starts with its name.
    """
    made = tuple(design_table(create) for create, _ in design)
    translation = translations.of(tuple(tables), made).over(len(databases))
    setup = create_schemas([table.name for table in (*tables, *made)])
    setup += [("", _NO_ERROR)] if lenient else []
    load = []
    for table in tables:
        numbered = replace(table, columns=(*shown_columns(table), _NUMBER))
        setup.append((str(table.name), create_statement(numbered)))
        shown = [place for place, column in enumerate(table.columns) if column in numbered.columns]
        whole = len(shown) == len(table.columns)
        rows = [
            (*(row if whole else (row[place] for place in shown)), number)
            for number, database in enumerate(databases)
            for row in database.get(table.name, ())
        ]
        if rows:
            load.append(load_table(numbered, rows))
    filled = [
        statement
        for table, (_, insert) in zip(made, design, strict=True)
        for statement in _filled(table, insert, translation)
    ]
    return Opening(tuple(setup), (), tuple(load), tuple(filled), min(limit_s, OPEN_LIMIT_S), limit_s), translation


def _filled(table: Table, insert: str, translation: NumberedTranslation) -> list[tuple[str, str]]:
    label = str(table.name)
    parts = split_insert(insert)
    try:
        select = translation.select(parts.select).sql
    except NotCheckable as problem:
        raise NotCheckable(f"{label}: {problem}") from problem
    names = parts.columns or tuple(column.name for column in table.columns)
    columns = ", ".join(quoted(name) for name in (duckdb_sql.NUMBER, *names))
    create = create_statement(replace(table, columns=(*table.columns, _NUMBER)))
    return [(label, create), (label, f"INSERT INTO {full_name(table.name)} ({columns}) {select}")]
