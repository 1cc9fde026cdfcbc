"""A workload's queries in the SQL of DuckDB: with Trino's exact numerics for comparing, plain for timing.

Emulated decimals cost time that neither engine would need, mostly on the large side; so times come from the plain form
where a text has one that runs, on both sides of a query alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.tokens import TokenType

import heavy_stack.backend.engines.duckdb_sql as duckdb_sql
from heavy_stack.backend.advisor import pipeline
from heavy_stack.backend.advisor.artefacts import ParsedWorkload, Table, TableName, Workload
from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.parsing import tokens_of
from heavy_stack.backend.engines.translation import Translation
from heavy_stack.shared_models.tasks import Stage


@dataclass(frozen=True)
class Form:
    """One text for DuckDB: `exact` is None where no form is known to mean the same, `plain` where none can be made."""

    exact: str | None
    plain: str | None
    types: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """A query of the workload: `shape` is equal for texts that differ in literals only."""

    queryid: str
    runs: int
    text: str
    shape: str
    executiontime: float | None = None


class _Silent:
    def report(self, *_: Any, **__: Any) -> None:
        """No progress wanted."""


class _Ports:
    runner = facts = note = deadline = None
    progress = _Silent()


class Texts:
    """A parsed workload and its translation."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.workload: Workload = pipeline.start("bench", json.dumps(body).encode(), budget_s=600)
        artefacts = {Stage.INGEST: self.workload}
        self.parsed: ParsedWorkload = pipeline.run_stage(Stage.PARSE, artefacts, _Ports())  # type: ignore[arg-type]
        self.tables: tuple[Table, ...] = self.parsed.tables
        self._translation = Translation(self.tables, duckdb_sql)
        parsed = {text.text: text for text in self.parsed.texts}
        self.queries = [
            Query(
                entry.queryid,
                entry.runquantity,
                parsed[entry.text].answer,
                parsed[entry.text].shape or _without_literals(parsed[entry.text].answer),
                entry.executiontime,
            )
            for entry in self.workload.queries
        ]

    def form(self, text: str, design: Sequence[Table] = ()) -> Form:
        """A text, original or rewritten, for DuckDB."""
        translation = self._translation.beside(self.tables, tuple(design)) if design else self._translation
        try:
            exact = translation.select(text)
        except NotCheckable:
            return Form(None, self._plain(text, design))
        return Form(exact.sql, self._plain(text, design), exact.types, exact.names)

    def _plain(self, text: str, design: Sequence[Table]) -> str | None:
        try:
            return duckdb_sql.to_duckdb(text, Catalog((*self.tables, *design)), plain=True)
        except NotCheckable:
            return None

    def columns_read(self) -> dict[TableName, set[str]]:
        """By table: the columns that stand anywhere in the workload's queries, in lower case."""
        catalog = Catalog(self.tables)
        read: dict[TableName, set[str]] = {table.name: set() for table in self.tables}
        for text in {query.text for query in self.queries}:
            try:
                tree = qualified(text, catalog)
            except SqlProblem:
                continue
            for scope in traverse_scope(tree):
                for column in scope.columns:
                    source = scope.sources.get(column.table)
                    table = (
                        catalog.resolve([part.name for part in source.parts]) if isinstance(source, exp.Table) else None
                    )
                    if table is not None:
                        read[table.name].add(column.name.lower())
        return read


def _without_literals(text: str) -> str:
    """The shape of a text that was not analysed."""
    try:
        kinds = (TokenType.STRING, TokenType.NUMBER)
        return " ".join("?" if token.token_type in kinds else token.text for token in tokens_of(text))
    except SqlProblem:
        return text


def sample(queries: Sequence[Query], per_shape: int) -> dict[str, list[Query]]:
    """The queries to run, each with those that it stands for: at most `per_shape` of each shape, picked by hash.

    Every query that is stood for shares its shape with the one that runs.
    """
    shapes: dict[str, list[Query]] = {}
    for query in queries:
        shapes.setdefault(query.shape, []).append(query)
    chosen: dict[str, list[Query]] = {}
    for members in shapes.values():
        members = sorted(members, key=lambda query: hashlib.sha256(query.queryid.encode()).digest())
        for place, query in enumerate(members):
            chosen.setdefault(members[place % per_shape].queryid, []).append(query)
    return chosen
