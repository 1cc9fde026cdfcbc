"""CREATE TABLE statements → tables. Other DDL statements say nothing about columns and are passed over."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.sql.guards import place_of
from heavy_stack.backend.advisor.sql.parsing import SEVERAL_STATEMENTS, SqlProblem, parse_statement, tokens_of
from heavy_stack.backend.advisor.sql.trino_types import from_node
from heavy_stack.errors import SqlSyntax


def read_tables(statements: Sequence[str]) -> tuple[Table, ...]:
    """The tables that the statements create, in their order; at least one.

    Raises:
        SqlSyntax: With the statement's number (1-based), line and column in its context.
    """
    tables: dict[tuple[str, str, str], Table] = {}
    for index, statement in enumerate(statements):
        create = _parsed(statement, index)
        if create is None:
            continue
        table = _table(create, index, tables)
        key = _folded(table.name)
        known = tables.get(key)
        if known is None:
            tables[key] = table
        elif not create.args.get("exists") and known.columns != table.columns:
            raise _error(f"table {table.name} is created twice, with other columns", index)
    if not tables:
        raise SqlSyntax("No DDL statement creates a table with columns.", context={})
    catalogs = {key[0] for key in tables}
    if len(catalogs) > 1:
        raise SqlSyntax(
            f"The tables lie in several catalogs ({', '.join(sorted(catalogs))}); one catalog is supported.", context={}
        )
    return tuple(tables.values())


def _parsed(statement: str, index: int) -> exp.Create | None:
    """The CREATE TABLE that a statement is; None for any other statement."""
    try:
        tree = parse_statement(statement)
    except SqlProblem as problem:
        if not _creates_a_table(statement):
            return None
        cure = ": send each in an entry of its own" if problem.message.startswith(SEVERAL_STATEMENTS) else ""
        raise _error(problem.message + cure, index, problem.line, problem.column) from None
    if not isinstance(tree, exp.Create) or tree.kind != "TABLE":
        if _creates_a_table(statement):
            raise _error("this CREATE TABLE is not understood", index, 1, 1)
        return None
    return tree


def _creates_a_table(statement: str) -> bool:
    try:
        words = [token.text.upper() for token in tokens_of(statement)[:4]]
    except SqlProblem:
        words = statement.upper().split()[:4]
    return words[:1] == ["CREATE"] and "TABLE" in words


def _table(create: exp.Create, index: int, known: dict[tuple[str, str, str], Table]) -> Table:
    schema = create.this
    target = schema.this if isinstance(schema, exp.Schema) else schema
    if not isinstance(target, exp.Table) or not isinstance(target.this, exp.Identifier):
        raise _error("the table's name must be catalog.schema.table", index)
    if len(target.parts) != 3:
        written = ".".join(part.name for part in target.parts)
        raise _error(f"the table's name must be catalog.schema.table, not {written}", index)
    name = TableName(*(part.name.lower() for part in target.parts))
    columns: list[Column] = []
    for item in schema.expressions if isinstance(schema, exp.Schema) else []:
        if isinstance(item, exp.ColumnDef):
            columns.append(_column(item, name, index))
        elif isinstance(item, exp.LikeProperty):
            columns += _like(item, name, index, known)
    if not columns:
        why = "gets its columns from a query" if create.expression is not None else "has no column list"
        cure = "write its columns with their types, as SHOW CREATE TABLE prints them"
        raise _error(f"table {name} {why}: {cure}", index, *place_of(target.this))
    names = [column.name.lower() for column in columns]
    twice = next((each for each in names if names.count(each) > 1), None)
    if twice is not None:
        raise _error(f"table {name} has the column {twice} twice", index)
    return Table(name, tuple(columns), _properties(create), index)


def _column(item: exp.ColumnDef, name: TableName, index: int) -> Column:
    kind = item.args.get("kind")
    if not isinstance(kind, exp.DataType):
        raise _error(f"column {item.name} of {name} has no type", index)
    known = from_node(kind)
    spelled = str(known) if known is not None else kind.sql(dialect="trino").lower()
    # A constraint's `kind` property refuses what WITH (…) leaves there; its argument does not.
    kinds = [constraint.args.get("kind") for constraint in item.args.get("constraints") or []]
    required = any(isinstance(each, exp.NotNullColumnConstraint) and not each.args.get("allow_null") for each in kinds)
    return Column(item.name.lower(), spelled, nullable=not required)


def _like(
    item: exp.LikeProperty, name: TableName, index: int, known: dict[tuple[str, str, str], Table]
) -> list[Column]:
    source = item.this
    parts = [part.name.lower() for part in source.parts] if isinstance(source, exp.Table) else []
    filled = [*_folded(name)[: 3 - len(parts)], *parts]
    table = known.get((filled[0], filled[1], filled[2])) if len(filled) == 3 else None
    if table is None:
        why = f"table {name} is LIKE a table that no statement before it creates"
        raise _error(f"{why}: send that one first, or write the columns", index)
    return list(table.columns)


def _properties(create: exp.Create) -> dict[str, str]:
    found: dict[str, str] = {}
    properties = create.args.get("properties")
    for entry in properties.expressions if properties is not None else []:
        if isinstance(entry, exp.SchemaCommentProperty):
            continue
        key, equals, value = entry.sql(dialect="trino").partition("=")
        if equals:
            found[key.strip().lower()] = value.strip()
    return found


def _folded(name: TableName) -> tuple[str, str, str]:
    return name.catalog.lower(), name.schema.lower(), name.name.lower()


def _error(message: str, index: int, line: int | None = None, column: int | None = None) -> SqlSyntax:
    place = f", line {line}, column {column}" if line is not None else ""
    return SqlSyntax(
        f"DDL statement {index + 1}{place}: {message}.",
        context={"statement": index + 1, "line": line, "column": column},
    )
