"""What is too large to analyse, decided on text and tokens before the parser sees them, and the errors that say so.

sqlglot is quadratic in long chains and recursive in deep ones; both would stop a whole task for one query.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

MAX_BYTES = 1_000_000
MAX_TOKENS = 60_000
MAX_CHAIN_TERMS = 5_000
"""Terms of one chain of AND, OR or ||."""
MAX_ARITHMETIC_TERMS = 1_000
"""Terms of one chain of + - * / %: it cannot be balanced, since each step has a type of its own."""
MAX_NESTING = 200
MAX_SOURCES = 500
"""Joins, or set operations, side by side at one level: their scopes are resolved one inside the other."""


class SqlProblem(Exception):
    """Why a text cannot be analysed.

    Attributes:
        message: One phrase, lower case, safe to show (no literals of the text).
        line, column: 1-based place in the text; None where no single place is to blame.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return self.message if self.line is None else f"{self.message} (line {self.line}, column {self.column})"


class TooLarge(SqlProblem):
    """The text is kept, but too large or too deeply nested to analyse."""


class UnknownName(SqlProblem):
    """A table or column that the DDL does not have."""


def place(text: str, offset: int) -> tuple[int, int]:
    """1-based line and column of a character offset."""
    start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - start + 1


def place_of(node: exp.Expr) -> tuple[int | None, int | None]:
    """1-based place of an identifier that the parser noted; (None, None) where there is none."""
    meta = node.meta
    line, end = meta.get("line"), meta.get("col")
    if line is None or end is None:
        return None, None
    # sqlglot notes the place of a name's last character.
    return line, end - (meta.get("end", 0) - meta.get("start", 0))


def check_size(text: str) -> None:
    """Raises TooLarge for a text over 1 MB in UTF-8."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise TooLarge(f"longer than {MAX_BYTES:,} bytes")


_OPEN = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSE = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_LINKS = frozenset({TokenType.AND, TokenType.OR, TokenType.DPIPE})
_STEPS = frozenset({TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.MOD, TokenType.ARROW})
_SOURCES = frozenset({TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT, TokenType.JOIN})
_PREFIX = frozenset({TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE})
_RESTART = frozenset(
    {
        TokenType.COMMA,
        TokenType.SELECT,
        TokenType.FROM,
        TokenType.WHERE,
        TokenType.HAVING,
        TokenType.ON,
        TokenType.WHEN,
        TokenType.THEN,
        TokenType.ELSE,
    }
)
# Suffixes that nest the tree one level each without a bracket around it: a.b.c.d and x[1][1][1].
_SUFFIX = frozenset({TokenType.DOT, TokenType.L_BRACKET})


def check_tokens(tokens: Sequence[Token]) -> None:
    """Raises TooLarge where the parser or the resolver would be slow or overflow."""
    if len(tokens) > MAX_TOKENS:
        raise TooLarge(f"more than {MAX_TOKENS:,} tokens")
    links, steps, sources = [0], [0], [0]  # per open bracket
    prefixes = suffixes = 0
    for token in tokens:
        kind = token.token_type
        prefixes = prefixes + 1 if kind in _PREFIX else 0
        if kind in _SUFFIX:
            suffixes += 1
        elif kind in _RESTART or kind in _LINKS or kind in _STEPS or kind in _SOURCES:
            suffixes = 0
        if prefixes > MAX_NESTING or suffixes > MAX_NESTING:
            raise _too_deep(token)
        if kind in _OPEN:
            for counts in (links, steps, sources):
                counts.append(0)
            if len(links) > MAX_NESTING + 1:
                raise _too_deep(token)
        elif kind in _CLOSE:
            if len(links) > 1:
                for counts in (links, steps, sources):
                    counts.pop()
        elif kind in _RESTART:
            links[-1] = steps[-1] = 0
        elif kind in _LINKS:
            links[-1] += 1
            steps[-1] = 0
            if links[-1] >= MAX_CHAIN_TERMS:
                raise TooLarge(f"a chain of more than {MAX_CHAIN_TERMS:,} terms", token.line, token.col)
        elif kind in _STEPS:
            steps[-1] += 1
            if steps[-1] >= MAX_ARITHMETIC_TERMS:
                raise TooLarge(f"arithmetic of more than {MAX_ARITHMETIC_TERMS:,} terms", token.line, token.col)
        elif kind in _SOURCES:
            sources[-1] += 1
            links[-1] = steps[-1] = 0
            if sources[-1] > MAX_SOURCES:
                raise TooLarge(f"more than {MAX_SOURCES} joins or set operations in a row", token.line, token.col)


def _too_deep(token: Token) -> TooLarge:
    return TooLarge(f"nested more than {MAX_NESTING} levels deep", token.line, token.col)
