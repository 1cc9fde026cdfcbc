"""Statements of the advisor, in Trino's SQL, taken apart and translated for DuckDB; remembered by text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import RLock
from typing import Protocol, TypeVar

from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.parsing import (
    SqlProblem,
    TooLarge,
    parse_statement,
    tokens_of,
    trailing_semicolons,
)
from heavy_stack.backend.advisor.sql.trino_types import from_node
from heavy_stack.backend.engines.duckdb_lake import full_name, quoted
from heavy_stack.backend.engines.duckdb_types import duckdb_type

_REMEMBERED = 4096
_REMEMBERED_DESIGNS = 4
_REMEMBERED_STATEMENTS = 256  # each data set is opened with the same design
_T = TypeVar("_T")


class Translator(Protocol):
    """Trino's SELECT in DuckDB's SQL (duckdb_sql.py)."""

    def to_duckdb(self, sql: str, catalog: Catalog, *, plain: bool = False) -> str:
        """Raises NotCheckable for what is not known to mean the same."""

    def output_columns(self, sql: str, catalog: Catalog) -> list[tuple[str, str]]:
        """(name, Trino type) of each output column."""


@dataclass(frozen=True)
class Translated:
    """A SELECT for DuckDB, and what Trino would call and type its columns."""

    sql: str
    names: tuple[str, ...]
    types: tuple[str, ...]


@dataclass(frozen=True)
class Insert:
    """`INSERT INTO table (columns) select`, taken apart at its tokens; `select` is the text's own."""

    table: TableName
    columns: tuple[str, ...]
    select: str


class Translation:
    """Translates for one set of tables.

    Args:
        tables: The DDL's tables.
        translator: What knows both dialects.
        design: Tables of the design, visible too.
    """

    def __init__(self, tables: tuple[Table, ...], translator: Translator, design: tuple[Table, ...] = ()) -> None:
        self.tables = tables
        self.design = design
        self.translator = translator
        self._catalog = Catalog((*tables, *design))
        self._beside: dict[object, Translation] = {}
        self._known: OrderedDict[tuple[str, bool], Translated | str] = OrderedDict()
        # Held while translating: several sessions on the same tables ask for the same text at once.
        self._lock = RLock()

    def beside(self, tables: tuple[Table, ...], design: tuple[Table, ...]) -> Translation:
        """The translation for other tables; the last few are remembered with all that they translated."""
        key = tuple((table.name, table.columns) for table in (*tables, *design))
        with self._lock:
            known = self._beside.pop(key, None) or Translation(tables, self.translator, design)
            self._beside[key] = known
            if len(self._beside) > _REMEMBERED_DESIGNS:
                del self._beside[next(iter(self._beside))]
        return known

    def select(self, sql: str, *, plain: bool = False) -> Translated:
        """One SELECT.

        Raises:
            NotCheckable: It has no form here that is known to mean the same.
        """
        key = (sql, plain)
        with self._lock:
            known = self._known.get(key)
            if known is None:
                try:
                    known = self._translate(sql, plain)
                except NotCheckable as problem:
                    known = str(problem)
                self._known[key] = known
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
            else:
                self._known.move_to_end(key)
        if isinstance(known, str):
            raise NotCheckable(known)
        return known

    def _translate(self, sql: str, plain: bool) -> Translated:
        columns = _checked(lambda: self.translator.output_columns(sql, self._catalog))
        text = _checked(lambda: self.translator.to_duckdb(sql, self._catalog, plain=plain))
        return Translated(text, tuple(name for name, _ in columns), tuple(kind for _, kind in columns))

    def statement(self, sql: str) -> str:
        """Any statement of an answer: SELECT, INSERT … SELECT, CREATE SCHEMA, CREATE TABLE, DROP.

        Raises:
            NotCheckable
        """
        first = _checked(lambda: tokens_of(sql))[:1]
        kind = first[0].token_type if first else None
        if kind == TokenType.INSERT:
            return insert_statement(split_insert(sql), self.select(split_insert(sql).select).sql)
        if kind == TokenType.CREATE:
            tree = _checked(lambda: parse_statement(sql))
            if isinstance(tree, exp.Create) and tree.kind == "SCHEMA":
                catalog, schema = _schema_parts(tree.this)
                return f"CREATE SCHEMA {quoted(catalog)}.{quoted(schema)}"
            return create_statement(design_table(sql))
        if kind == TokenType.DROP:
            return _drop_statement(_checked(lambda: parse_statement(sql)))
        return self.select(sql).sql


@lru_cache(maxsize=_REMEMBERED_STATEMENTS)
def design_table(create: str) -> Table:
    """The table that a `CREATE TABLE name (columns)` makes.

    Raises:
        NotCheckable: It is another statement, or a type is unknown.
    """
    tree = _checked(lambda: parse_statement(create))
    schema = tree.this if isinstance(tree, exp.Create) and tree.kind == "TABLE" else None
    if not isinstance(schema, exp.Schema) or not isinstance(schema.this, exp.Table):
        raise NotCheckable("the design's statement is not CREATE TABLE with columns")
    columns = []
    for column in schema.expressions:
        kind = from_node(column.args.get("kind")) if isinstance(column, exp.ColumnDef) else None
        if kind is None:
            raise NotCheckable(f"column {column.name} of {schema.this.name} has an unknown type")
        columns.append(Column(column.name, str(kind)))
    parts = schema.this.parts
    if len(parts) != 3:
        raise NotCheckable("a design table needs its full name")
    return Table(TableName(*(part.name for part in parts)), tuple(columns))


def create_statement(table: Table) -> str:
    """CREATE TABLE in DuckDB's SQL.

    Raises:
        NotCheckable: A column's type has no equal.
    """
    columns = ", ".join(f"{quoted(column.name)} {duckdb_type(column.type)}" for column in table.columns)
    return f"CREATE TABLE {full_name(table.name)} ({columns})"


def insert_statement(insert: Insert, select: str) -> str:
    """INSERT in DuckDB's SQL; `select` is already DuckDB's."""
    columns = f" ({', '.join(map(quoted, insert.columns))})" if insert.columns else ""
    return f"INSERT INTO {full_name(insert.table)}{columns} {select}"


@lru_cache(maxsize=_REMEMBERED_STATEMENTS)
def split_insert(sql: str) -> Insert:
    """Take an INSERT … SELECT apart.

    Raises:
        NotCheckable: It is something else.
    """
    tokens = _checked(lambda: tokens_of(sql))
    tokens = tokens[: len(tokens) - len(trailing_semicolons(tokens))]
    words = [token.token_type for token in tokens[:2]]
    if words != [TokenType.INSERT, TokenType.INTO]:
        raise NotCheckable("the design's statement is not INSERT INTO … SELECT")
    names, at = _names(tokens, 2, TokenType.DOT)
    columns: list[str] = []
    if at < len(tokens) and tokens[at].token_type == TokenType.L_PAREN and not _starts_query(tokens, at + 1):
        columns, at = _names(tokens, at + 1, TokenType.COMMA)
        at += 1
    if len(names) != 3 or at >= len(tokens):
        raise NotCheckable("the design's INSERT needs a full table name and a SELECT")
    return Insert(TableName(*names), tuple(columns), sql[tokens[at].start : tokens[-1].end + 1])


def group_columns(select: str) -> tuple[int, ...]:
    """Positions of the output columns that are group keys; empty when the SELECT does not group at its top.

    A design table's rows are stored in their order: equal values side by side compress best.
    """
    tree = _checked(lambda: parse_statement(select))
    if not isinstance(tree, exp.Select) or tree.args.get("group") is None or tree.args.get("order") is not None:
        return ()
    return tuple(i for i, column in enumerate(tree.selects) if column.find(exp.AggFunc) is None)


def _names(tokens: list[Token], at: int, separator: TokenType) -> tuple[list[str], int]:
    names: list[str] = []
    while at < len(tokens):
        names.append(tokens[at].text)
        at += 1
        if at >= len(tokens) or tokens[at].token_type != separator:
            break
        at += 1
    return names, at


def _starts_query(tokens: list[Token], at: int) -> bool:
    starts = (TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN, TokenType.VALUES, TokenType.TABLE)
    return at < len(tokens) and tokens[at].token_type in starts


def _schema_parts(node: exp.Expr | None) -> tuple[str, str]:
    catalog, schema = (node.text("catalog"), node.text("db")) if isinstance(node, exp.Table) else ("", "")
    if not catalog or not schema or (node is not None and node.name):
        raise NotCheckable("a schema needs its catalog")
    return catalog, schema


def _drop_statement(tree: exp.Expr) -> str:
    dropped = tree.args.get("tables") or [] if isinstance(tree, exp.Drop) else []
    if not isinstance(tree, exp.Drop) or len(dropped) != 1 or not isinstance(dropped[0], exp.Table):
        raise NotCheckable("this statement has no form in the embedded engine")
    exists = "IF EXISTS " if tree.args.get("exists") else ""
    if tree.kind == "SCHEMA":
        catalog, schema = _schema_parts(dropped[0])
        return f"DROP SCHEMA {exists}{quoted(catalog)}.{quoted(schema)}"
    names = [part.name for part in dropped[0].parts]
    if tree.kind != "TABLE" or len(names) != 3:
        raise NotCheckable("only DROP TABLE with a full name has a form in the embedded engine")
    return f"DROP TABLE {exists}{full_name(TableName(*names))}"


def _checked(call: Callable[[], _T]) -> _T:
    try:
        return call()
    except (SqlProblem, TooLarge) as problem:
        raise NotCheckable(str(problem)) from problem
