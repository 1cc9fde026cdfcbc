"""A look at the first tokens of a DDL statement: does it create a table, and under which name?

`POST /new` parses no SQL; the worker does. This reads comments, words and quoted identifiers from the start of a
statement and stops after the table's name, so it costs the same for ten columns and for ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterator


def created_table(statement: str) -> tuple[str, ...] | None:
    """The name parts of the table that a statement creates, as written but unquoted; None when it creates none.

    `CREATE TABLE IF NOT EXISTS lake."my schema".t (…)` gives `("lake", "my schema", "t")`. The number of parts is
    whatever was written: the caller asks for three.
    """
    tokens = _Tokens(statement)
    if tokens.next_word() != "create":
        return None
    word = tokens.next_word()
    if word == "or":
        if tokens.next_word() != "replace":
            return None
        word = tokens.next_word()
    if word != "table":
        return None
    return tuple(tokens.name_parts()) or None


class _Tokens:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def next_word(self) -> str:
        """The next unquoted word in lower case; "" when something else comes."""
        self._skip_space()
        start = self._at
        while self._at < len(self._text) and (self._text[self._at].isalnum() or self._text[self._at] in "_$"):
            self._at += 1
        return self._text[start : self._at].lower()

    def name_parts(self) -> Iterator[str]:
        first = self._identifier()
        if first is None:
            return
        part, quoted = first
        if not quoted and part.lower() == "if":
            at = self._at
            if self.next_word() == "not" and self.next_word() == "exists":
                first = self._identifier()
                if first is None:
                    return
                part = first[0]
            else:
                self._at = at
        yield part
        while self._take_dot():
            following = self._identifier()
            if following is None:
                return
            yield following[0]

    def _identifier(self) -> tuple[str, bool] | None:
        self._skip_space()
        if self._text[self._at : self._at + 1] != '"':
            word_start = self._at
            self.next_word()
            word = self._text[word_start : self._at]
            return (word, False) if word else None
        parts: list[str] = []
        start = self._at + 1
        while True:
            end = self._text.find('"', start)
            if end < 0:
                return None
            parts.append(self._text[start:end])
            self._at = end + 1
            if self._text[self._at : self._at + 1] != '"':
                return '"'.join(parts), True
            start = self._at + 1

    def _take_dot(self) -> bool:
        self._skip_space()
        if self._text[self._at : self._at + 1] != ".":
            return False
        self._at += 1
        return True

    def _skip_space(self) -> None:
        text, size = self._text, len(self._text)
        while self._at < size:
            if text[self._at].isspace() or text[self._at] == "\ufeff":
                self._at += 1
            elif text.startswith("--", self._at):
                end = text.find("\n", self._at)
                self._at = size if end < 0 else end + 1
            elif text.startswith("/*", self._at):
                end = text.find("*/", self._at + 2)
                self._at = size if end < 0 else end + 2
            else:
                return
