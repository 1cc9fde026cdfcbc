"""Query texts → parsed texts: what can be analysed, and for the rest a reason with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import ParsedText, Table, TableName
from heavy_stack.backend.advisor.parse.by_shape import KnownShape, known_shape
from heavy_stack.backend.advisor.sql.allowed import find_problem
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.determinism import nondeterminism
from heavy_stack.backend.advisor.sql.fingerprints import fingerprint
from heavy_stack.backend.advisor.sql.guards import SqlProblem, TooLarge, UnknownName
from heavy_stack.backend.advisor.sql.literal_sites import shape_of
from heavy_stack.backend.advisor.sql.parsing import SEVERAL_STATEMENTS, parse_statement, tokens_of
from heavy_stack.backend.advisor.sql.table_names import Edit, base_tables, completing_edits, edited
from heavy_stack.shared_models.verdicts import Reason


class TextReader:
    """Reads texts against the DDL's tables.

    Args:
        tables: The DDL's tables.
        catalog, schema: What the url names for tables written with fewer than three parts.
    """

    def __init__(self, tables: Iterable[Table], catalog: str | None, schema: str | None) -> None:
        self._catalog = Catalog(tables, catalog, schema)
        self._resolved: set[str] = set()
        self._shapes: dict[str, KnownShape | None] = {}

    def read(self, index: int, text: str) -> ParsedText:
        """The parsed text; never fails. Texts that differ in movable literals only are parsed once."""
        try:
            tokens = tokens_of(text)
        except SqlProblem:
            return self._parsed(index, text)[0]
        shape = shape_of(tokens)
        known = self._shapes.get(shape.key)
        if known is not None and (known.parsed.reason is None or "--" not in text):
            return known.read(index, text, tokens, shape)
        parsed, edits = self._parsed(index, text)
        if parsed.sql is not None:
            parsed = replace(parsed, shape=shape.key)
        if shape.key not in self._shapes:
            says_all = edits is not None and (parsed.reason is None or "--" not in text)
            self._shapes[shape.key] = known_shape(text, tokens, shape, edits or [], parsed) if says_all else None
        return parsed

    def _parsed(self, index: int, text: str) -> tuple[ParsedText, list[Edit] | None]:
        """The parsed text, and the edits of its answer; None where its place is not one of the client's text."""
        try:
            tree = parse_statement(text)
        except TooLarge as problem:
            return _aside(index, text, Reason.TOO_LARGE, problem), []
        except SqlProblem as problem:
            reason = Reason.NOT_A_SELECT if problem.message.startswith(SEVERAL_STATEMENTS) else Reason.UNPARSABLE
            return _aside(index, text, reason, problem), []
        try:
            edits = completing_edits(text, self._catalog, tree)
        except SqlProblem as problem:
            return _aside(index, text, Reason.UNPARSABLE, problem), []
        answer = edited(text, edits)
        tables = self._tables(tree)
        problem_found = find_problem(tree, self._catalog)
        if problem_found is not None:
            place = SqlProblem(problem_found.message, problem_found.line, problem_found.column)
            return _aside(index, answer, problem_found.reason, place, tables), edits
        chance = nondeterminism(tree)
        if chance is not None:
            place = SqlProblem(f"its own result depends on chance: {chance}")
            return _aside(index, answer, Reason.NONDETERMINISTIC, place, tables), edits
        shape = fingerprint(tree)
        unresolved = self._resolve(answer, shape)
        if unresolved is not None and answer != text:
            mine = self._resolve(text, shape)  # the place in the client's own text
            if mine is None:
                return _aside(index, answer, *unresolved, tables), None
            unresolved = mine
        if unresolved is not None:
            return _aside(index, answer, *unresolved, tables), edits
        return ParsedText(text=index, answer=answer, sql=answer, tables=tables, fingerprint=shape), edits

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
