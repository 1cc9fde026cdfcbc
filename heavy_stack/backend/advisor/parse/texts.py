"""Query texts → parsed texts: what can be analysed, and for the rest a reason with its place."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import ParsedText, Table, TableName
from heavy_stack.backend.advisor.sql.allowed import find_problem
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.determinism import nondeterminism
from heavy_stack.backend.advisor.sql.fingerprints import fingerprint
from heavy_stack.backend.advisor.sql.guards import SqlProblem, TooLarge, UnknownName
from heavy_stack.backend.advisor.sql.parsing import parse_statement
from heavy_stack.backend.advisor.sql.table_names import base_tables, complete_names
from heavy_stack.shared_models.verdicts import Reason

_SEVERAL = "more than one statement"


class TextReader:
    """Reads texts against the DDL's tables.

    Args:
        tables: The DDL's tables.
        catalog, schema: What the url names for tables written with fewer than three parts.
    """

    def __init__(self, tables: Iterable[Table], catalog: str | None, schema: str | None) -> None:
        self._catalog = Catalog(tables, catalog, schema)
        self._resolved: set[str] = set()

    def read(self, index: int, text: str) -> ParsedText:
        """The parsed text; never fails."""
        try:
            tree = parse_statement(text)
        except TooLarge as problem:
            return _aside(index, text, Reason.TOO_LARGE, problem)
        except SqlProblem as problem:
            reason = Reason.NOT_A_SELECT if problem.message.startswith(_SEVERAL) else Reason.UNPARSABLE
            return _aside(index, text, reason, problem)
        try:
            answer = complete_names(text, self._catalog, tree)
        except SqlProblem as problem:
            return _aside(index, text, Reason.UNPARSABLE, problem)
        tables = self._tables(tree)
        problem_found = find_problem(tree, self._catalog)
        if problem_found is not None:
            place = SqlProblem(problem_found.message, problem_found.line, problem_found.column)
            return _aside(index, answer, problem_found.reason, place, tables)
        chance = nondeterminism(tree)
        if chance is not None:
            place = SqlProblem(f"its own result depends on chance: {chance}")
            return _aside(index, answer, Reason.NONDETERMINISTIC, place, tables)
        shape = fingerprint(tree)
        unresolved = self._resolve(answer, shape)
        if unresolved is not None and answer != text:
            unresolved = self._resolve(text, shape) or unresolved  # the place in the client's own text
        if unresolved is not None:
            return _aside(index, answer, *unresolved, tables)
        return ParsedText(text=index, answer=answer, sql=answer, tables=tables, fingerprint=shape)

    def _tables(self, tree: exp.Expr) -> tuple[TableName, ...]:
        found = (self._catalog.resolve_node(node) for node in base_tables(tree))
        return tuple(sorted({table.name for table in found if table is not None}))

    def _resolve(self, answer: str, shape: str) -> tuple[Reason, SqlProblem] | None:
        """Why the names do not resolve. Texts that differ in literals only resolve alike, so one of them is tried."""
        if shape in self._resolved:
            return None
        try:
            qualified(answer, self._catalog)
        except TooLarge as problem:
            return Reason.TOO_LARGE, problem
        except UnknownName as problem:
            return Reason.UNKNOWN_TABLE, problem
        except SqlProblem as problem:
            return Reason.NOT_CHECKABLE, problem
        self._resolved.add(shape)
        return None


def _aside(
    index: int, answer: str, reason: Reason, problem: SqlProblem, tables: tuple[TableName, ...] = ()
) -> ParsedText:
    sentence = problem.message[:1].upper() + problem.message[1:] + "."
    return ParsedText(
        text=index,
        answer=answer,
        sql=None,
        reason=reason,
        detail=sentence,
        line=problem.line,
        column=problem.column,
        tables=tables,
    )


def url_defaults(url: str) -> tuple[str | None, str | None]:
    """(catalog, schema) that a `jdbc:trino://host:port/catalog/schema` url names; None where it does not."""
    scheme, _, rest = url.strip().partition(":")
    if scheme.lower() != "jdbc" or not rest.lower().startswith("trino:"):
        return None, None
    try:
        path = urlsplit(rest).path
    except ValueError:
        return None, None
    parts = [unquote(part) for part in path.split("/") if part]
    return (parts[0] if parts else None), (parts[1] if len(parts) > 1 else None)
