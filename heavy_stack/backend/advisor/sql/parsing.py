"""Text → tree: exactly one Trino statement per text, guarded before the parser sees it.

sqlglot reads most of Trino's SQL faithfully; where its tree loses a difference that Trino makes (`DECIMAL '0.06'`
against `CAST('0.06' AS DECIMAL)`, `log10(x)` against `log(10, x)`, `1_000` against `1 AS _000`), the tokens are changed
before they are parsed, so that the tree says what the text said. Positions are the text's own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import zip_longest

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from heavy_stack.backend.advisor.sql.guards import SqlProblem, TooLarge, check_size, check_tokens, place
from heavy_stack.backend.advisor.sql.places import hidden_by_comment, not_space_or_comment, unclosed

__all__ = [
    "PRIVATE_FUNCTIONS",
    "SqlProblem",
    "TooLarge",
    "parse_statement",
    "tokens_of",
    "trailing_semicolons",
    "with_comment_hint",
]

# sqlglot logs what it cannot parse with the user's literals in it; what matters is raised here instead.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

_DIALECT = Trino()

PRIVATE_FUNCTIONS = {"LOG10": "log10", "LOG2": "log2"}
"""Kept as they are: sqlglot would read `log(10, x)`, which Trino computes otherwise in the last bits."""

_SYNONYMS = {"EVERY": "bool_and"}
_HIDDEN = "trino_private_"
_LONG_CHAIN = 32

SEVERAL_STATEMENTS = "more than one statement"


class _Tokenizer(Trino.Tokenizer):
    NESTED_COMMENTS = False  # Trino ends a block comment at the first */


def parse_statement(text: str) -> exp.Expr:
    """The tree of the one statement in `text`.

    Raises:
        TooLarge: Over 1 MB, a chain of over 5,000 terms or nesting of over 200; nothing was parsed.
        SqlProblem: It does not parse, is empty, or holds more than one statement; with the 1-based place.
    """
    tokens = tokens_of(text)
    end = len(tokens) - len(trailing_semicolons(tokens))
    statement = tokens[:end]
    if not statement:
        raise with_comment_hint(SqlProblem("there is no statement", 1, 1), text, tokens)
    for token in statement:
        if token.token_type == TokenType.SEMICOLON:
            raise SqlProblem(SEVERAL_STATEMENTS, *place(text, token.start))
    dangling = _dangling_comma(statement)
    if dangling is not None:
        raise with_comment_hint(SqlProblem("nothing follows the comma", *place(text, dangling.start)), text, tokens)
    try:
        trees = _DIALECT.parser().parse(list(_faithful(statement, text)), text)
    except ParseError as error:
        raise with_comment_hint(_from_parse_error(error), text, tokens) from None
    except RecursionError:
        raise TooLarge("too deeply nested to analyse") from None
    tree = trees[0] if trees else None
    if tree is None or len(trees) != 1:
        raise SqlProblem("there is no statement", 1, 1)
    return _restored(tree)


def tokens_of(text: str) -> list[Token]:
    """The tokens of `text` with their places, guarded; comments are not tokens.

    Raises:
        TooLarge, SqlProblem
    """
    check_size(text)
    nul = text.find("\0")
    if nul >= 0:
        raise SqlProblem("a NUL character", *place(text, nul))
    try:
        tokens = _Tokenizer(dialect=_DIALECT).tokenize(text)
    except TokenError:
        what, offset = unclosed(text) or ("text that is no SQL", 0)
        raise SqlProblem(what, *place(text, offset)) from None
    check_tokens(tokens)
    if tokens and tokens[0].token_type in _Tokenizer.COMMANDS:
        return tokens  # EXPLAIN, SHOW, CALL …: sqlglot keeps what follows as one opaque token
    stray = not_space_or_comment(text, tokens)
    if stray is not None:
        what, offset = stray
        raise SqlProblem(what, *place(text, offset))
    return tokens


def trailing_semicolons(tokens: list[Token]) -> list[Token]:
    """The `;` tokens at the end."""
    found: list[Token] = []
    for token in reversed(tokens):
        if token.token_type != TokenType.SEMICOLON:
            break
        found.append(token)
    return found


_AFTER_LIST = frozenset(
    {
        TokenType.FROM,
        TokenType.WHERE,
        TokenType.GROUP_BY,
        TokenType.HAVING,
        TokenType.ORDER_BY,
        TokenType.LIMIT,
        TokenType.R_PAREN,
        TokenType.R_BRACKET,
        TokenType.COMMA,
    }
)


def _dangling_comma(tokens: list[Token]) -> Token | None:
    """A comma with nothing after it: sqlglot forgives it, Trino does not."""
    for token, following in zip_longest(tokens, tokens[1:]):
        if token.token_type == TokenType.COMMA and (following is None or following.token_type in _AFTER_LIST):
            return token
    return None


def with_comment_hint(problem: SqlProblem, text: str, tokens: list[Token]) -> SqlProblem:
    """The problem, or, where a flattened `--` comment eats the rest of the text, one that says so with its place."""
    hidden = hidden_by_comment(text, tokens)
    if hidden is None:
        return problem
    line, column = place(text, hidden)
    return SqlProblem(
        f"{problem.message}; the -- comment at line {line}, column {column} has no line end after it and hides the rest"
        " of the text",
        line,
        column,
    )


def _from_parse_error(error: ParseError) -> SqlProblem:
    first = error.errors[0] if error.errors else {}
    description = first.get("description") or "does not parse"
    if description.lower().startswith("required keyword"):
        description = "an expression is missing"  # sqlglot names its own class here
    highlight = first.get("highlight") or ""
    # sqlglot gives the column of the token's last character.
    line, column = first.get("line"), first.get("col")
    if column is not None and "\n" not in highlight:
        column = max(1, column - max(0, len(highlight) - 1))
    return SqlProblem(description[:1].lower() + description[1:], line, column)


def _token(kind: TokenType, text: str, at: Token) -> Token:
    return Token(kind, text, line=at.line, col=at.col, start=at.start, end=at.end)


def _faithful(tokens: list[Token], text: str) -> Iterator[Token]:
    """The tokens with each lossy spelling replaced by one that sqlglot keeps."""
    index, count = 0, len(tokens)
    while index < count:
        token = tokens[index]
        following = tokens[index + 1] if index + 1 < count else None
        index += 1
        if token.token_type == TokenType.NUMBER and following is not None and following.start == token.end + 1:
            if following.token_type == TokenType.VAR:
                yield _joined_number(token, following, text)
                index += 1
                continue
        elif token.token_type == TokenType.HEX_STRING and text[token.start] == "0":
            yield _token(TokenType.NUMBER, str(int(token.text.replace("_", ""), 16)), token)
            continue
        elif following is None:
            pass
        elif token.token_type == TokenType.DECIMAL and following.token_type == TokenType.STRING:
            yield from _decimal_literal(token, following, text)
            index += 1
            continue
        elif token.token_type == TokenType.CHAR and following.token_type == TokenType.STRING:
            yield from _typed_literal(token, following, "CHAR", TokenType.CHAR, (len(following.text),))
            index += 1
            continue
        elif following.token_type == TokenType.L_PAREN and token.token_type == TokenType.VAR:
            name = token.text.upper()
            if name in PRIVATE_FUNCTIONS:
                yield _token(TokenType.VAR, _HIDDEN + PRIVATE_FUNCTIONS[name], token)
                continue
            if name in _SYNONYMS:
                yield _token(TokenType.VAR, _SYNONYMS[name], token)
                continue
        yield token


def _joined_number(number: Token, rest: Token, text: str) -> Token:
    """`1_000` is one number in Trino (sqlglot: 1 AS _000); `1abc` is an error in Trino."""
    spelled = text[number.start : rest.end + 1]
    parts = spelled.split("_")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise SqlProblem("identifiers must not start with a digit", *place(text, number.start))
    return Token(TokenType.NUMBER, "".join(parts), line=number.line, col=rest.col, start=number.start, end=rest.end)


def _decimal_literal(keyword: Token, literal: Token, text: str) -> Iterator[Token]:
    """`DECIMAL '1.50'` as `CAST('1.50' AS DECIMAL(3, 2))`, the type that Trino gives the literal."""
    shape = decimal_shape(literal.text)
    if shape is None:
        raise SqlProblem("not a decimal number", *place(text, literal.start))
    yield from _typed_literal(keyword, literal, "DECIMAL", TokenType.DECIMAL, shape)


def _typed_literal(
    keyword: Token, literal: Token, name: str, kind: TokenType, numbers: tuple[int, ...]
) -> Iterator[Token]:
    """`CAST('…' AS name(numbers))`."""
    yield _token(TokenType.VAR, "CAST", keyword)
    yield _token(TokenType.L_PAREN, "(", keyword)
    yield literal
    yield _token(TokenType.ALIAS, "AS", literal)
    yield _token(kind, name, literal)
    for index, number in enumerate(numbers):
        yield _token(TokenType.COMMA, ",", literal) if index else _token(TokenType.L_PAREN, "(", literal)
        yield _token(TokenType.NUMBER, str(number), literal)
    yield _token(TokenType.R_PAREN, ")", literal)
    yield _token(TokenType.R_PAREN, ")", literal)


def decimal_shape(spelled: str) -> tuple[int, int] | None:
    """Trino's (precision, scale) of a decimal literal's digits (leading zeros do not count), or None if it is none."""
    body = spelled[1:] if spelled[:1] in ("+", "-") else spelled
    whole, point, fraction = body.partition(".")
    digits = whole + fraction
    if not digits or not (digits.isascii() and digits.isdigit()):
        return None
    precision = len(whole.lstrip("0")) + len(fraction)
    if precision > 38:
        return None
    return max(1, precision), len(fraction)


def _restored(tree: exp.Expr) -> exp.Expr:
    """Names of private functions as they were written, and `NOT LIKE` as NOT around LIKE, like every other negation."""
    for call in tree.find_all(exp.Anonymous):
        name = call.this
        if isinstance(name, str) and name.startswith(_HIDDEN):
            call.set("this", name[len(_HIDDEN) :])
    for like in list(tree.find_all(exp.Like, exp.Is)):
        if like.args.get("negate"):
            like.set("negate", None)
            whole = like.parent if isinstance(like.parent, exp.Escape) else like
            whole.replace(exp.Not(this=whole.copy()))
    for link in list(tree.find_all(exp.And, exp.Or, exp.DPipe)):
        if type(link.parent) is not type(link):
            _balance(link)
    return tree


def _balance(top: exp.Expr) -> None:
    """A long left-deep chain as a balanced tree: the resolver climbs from each leaf to the top, term by term.

    AND, OR and || are associative; the text printed from either tree is the same.
    """
    kind = type(top)
    operands: list[exp.Expr] = []
    at = top
    while type(at) is kind:
        operands.append(at.args["expression"])
        at = at.this
    operands.append(at)
    if len(operands) <= _LONG_CHAIN:
        return
    operands.reverse()
    while len(operands) > 2:
        pairs = range(0, len(operands) - 1, 2)
        joined = [kind(this=operands[i], expression=operands[i + 1], **_modifiers(top)) for i in pairs]
        operands = joined + operands[len(joined) * 2 :]
    top.set("this", operands[0])
    top.set("expression", operands[1])


def _modifiers(link: exp.Expr) -> dict[str, object]:
    return {key: value for key, value in link.args.items() if key not in ("this", "expression")}
