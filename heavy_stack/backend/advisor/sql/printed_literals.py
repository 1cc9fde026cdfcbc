"""A printed text as its literals and the rest, so that texts can be compared, or made, up to their literals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from heavy_stack.backend.advisor.sql.parsing import tokens_of

Value = tuple[bool, tuple[str, ...]]
"""(whether they are strings, the literals): one literal, or all of a list after IN."""
_LITERALS = (TokenType.NUMBER, TokenType.STRING)


@dataclass(frozen=True, slots=True)
class PrintedLiteral:
    """A literal, or a list of them after IN, with its place in the text."""

    value: Value
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PrintedText:
    """A printed text.

    Attributes:
        literals: In the text's order.
        rest: The other tokens in order, with a mark where each literal stands.
        plain: The literals stand there as `spelled` would spell them.
    """

    literals: tuple[PrintedLiteral, ...]
    rest: tuple[str, ...]
    plain: bool


def printed_text(sql: str) -> PrintedText:
    """The literals and the rest of a text."""
    tokens = tokens_of(sql)
    literals: list[PrintedLiteral] = []
    rest: list[str] = []
    index = 0
    while index < len(tokens):
        kind = tokens[index].token_type
        if kind not in _LITERALS:
            rest.append(f"{kind.value}:{tokens[index].text}")
            index += 1
            continue
        last = _list_end(tokens, index)
        quoted = kind is TokenType.STRING
        values = tuple(tokens[each].text for each in range(index, last + 1, 2))
        literals.append(PrintedLiteral((quoted, values), tokens[index].start, tokens[last].end + 1))
        rest.append("text" if quoted else "number")
        index = last + 1
    plain = all(spelled(each.value) == sql[each.start : each.end] for each in literals)
    return PrintedText(tuple(literals), tuple(rest), plain)


def spelled(value: Value) -> str:
    """A literal or a list as it is printed."""
    quoted, values = value
    return ", ".join("'" + each.replace("'", "''") + "'" for each in values) if quoted else ", ".join(values)


def _list_end(tokens: Sequence[Token], first: int) -> int:
    """The last token of the list after IN whose first literal this is; `first` where it is no such list."""
    if first < 2 or tokens[first - 2].token_type is not TokenType.IN:
        return first
    if tokens[first - 1].token_type is not TokenType.L_PAREN:
        return first
    last = first
    while last + 2 < len(tokens) and tokens[last + 1].token_type is TokenType.COMMA:
        if tokens[last + 2].token_type is not tokens[first].token_type:
            return first
        last += 2
    return last if last + 1 < len(tokens) and tokens[last + 1].token_type is TokenType.R_PAREN else first
