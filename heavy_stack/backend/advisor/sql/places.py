"""What stands between the tokens: white space and comments, and what went wrong there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token


def unclosed(text: str) -> tuple[str, int] | None:
    """The string, quoted identifier or block comment that has no end, with its offset; None when all are closed."""
    index, size = 0, len(text)
    while index < size:
        char = text[index]
        if char in "'\"":
            end = text.find(char, index + 1)
            if end < 0:
                return ("a string without an end" if char == "'" else "a quoted name without an end"), index
            index = end + 1  # a doubled quote just opens the next piece
        elif text.startswith("--", index):
            end = text.find("\n", index)
            index = size if end < 0 else end + 1
        elif text.startswith("/*", index):
            end = text.find("*/", index + 2)
            if end < 0:
                return "a comment without an end", index
            index = end + 2
        else:
            index += 1
    return None


def gaps(text: str, tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """(start, end) of each non-empty stretch between tokens, the last one up to the end of the text."""
    found: list[tuple[int, int]] = []
    at = 0
    for token in tokens:
        if token.start > at:
            found.append((at, token.start))
        at = token.end + 1
    if at < len(text):
        found.append((at, len(text)))
    return found


def not_space_or_comment(text: str, tokens: Sequence[Token]) -> tuple[str, int] | None:
    """What a gap holds besides white space and Trino's two kinds of comment (sqlglot skips a few things more)."""
    for start, end in gaps(text, tokens):
        index = start
        while index < end:
            if text[index].isspace():
                index += 1
            elif text.startswith("--", index):
                line_end = text.find("\n", index, end)
                index = end if line_end < 0 else line_end + 1
            elif text.startswith("/*", index):
                close = text.find("*/", index + 2, end)
                if close < 0:
                    return "a comment without an end", index
                index = close + 2
            else:
                return "text that is no SQL", index
    return None


def hidden_by_comment(text: str, tokens: Sequence[Token]) -> int | None:
    """Offset of a `--` comment after the last token that runs to the end of the text; None when there is none."""
    start = tokens[-1].end + 1 if tokens else 0
    index, end = start, len(text)
    while index < end:
        if text[index].isspace():
            index += 1
        elif text.startswith("/*", index):
            close = text.find("*/", index + 2)
            if close < 0:
                return None
            index = close + 2
        elif text.startswith("--", index):
            line_end = text.find("\n", index)
            if line_end < 0:
                return index
            index = line_end + 1
        else:
            return None
    return None
