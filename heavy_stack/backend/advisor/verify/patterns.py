"""Strings that match, and strings that just miss, a LIKE pattern or a regular expression.

Patterns come from users, so they are never run: Python's `re` can take exponential time on them. A regular expression
is read into a small tree and strings are built that match by construction; what the reader does not know yields none.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

MAX_PATTERN = 2_000
MAX_DEPTH = 40
MAX_REPEAT = 60
MAX_SAMPLE = 2_000
_DIGITS = string.digits
_WORD = string.ascii_letters + string.digits + "_"
_ANY = "abXY019 -_"
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": " ", "D": "aZ-", "W": "- .", "S": "aZ09"}
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r"}


def like_samples(pattern: str, escape: str | None, draw: random.Random) -> list[str]:
    """Some strings that match a LIKE pattern, the shortest first."""
    parts = _like_parts(pattern, escape)
    samples = []
    for filler in ("", "x", " z" + draw.choice(string.ascii_lowercase)):
        samples.append("".join(_fill(part, filler, draw) for part in parts))
    return list(dict.fromkeys(samples))


def like_matches(pattern: str, escape: str | None, text: str) -> bool:
    """Whether `text` is LIKE `pattern`; linear in their product."""
    parts = _like_parts(pattern, escape)
    reach = {0}
    for part in parts:
        if part is ANY_RUN:
            reach = set(range(min(reach), len(text) + 1)) if reach else reach
        elif part is ANY_ONE:
            reach = {place + 1 for place in reach if place < len(text)}
        else:
            reach = {place + 1 for place in reach if text[place : place + 1] == part}
    return len(text) in reach


def near_misses(text: str, draw: random.Random) -> list[str]:
    """Strings one step away: a character less or more, another case, another first letter, a space behind."""
    steps = [text[:-1], text + "x", text.swapcase(), "x" + text, text + " ", text[1:]]
    if text:
        place = draw.randrange(len(text))
        steps.append(text[:place] + draw.choice("aZ0 ") + text[place + 1 :])
    return [step for step in dict.fromkeys(steps) if step != text]


def regexp_samples(pattern: str, draw: random.Random, count: int = 4) -> list[str]:
    """Up to `count` strings in which `pattern` is found; none when the pattern holds something unknown."""
    if len(pattern) > MAX_PATTERN:
        return []
    try:
        tree = _Reader(pattern).read()
        return list(dict.fromkeys("".join(_build(tree, draw, [MAX_SAMPLE])) for _ in range(count)))
    except _Unknown:
        return []


def fixed_places(pattern: str) -> list[str] | None:
    """The choices for each place of the texts that match, where all have one length and are matched from end to end.

    None for any other pattern, and for one whose choices are not all known (a dot, a negated class, an escape).
    """
    if not (pattern.startswith("^") and pattern.endswith("$")) or any(sign in pattern[1:] for sign in ".\\^|"):
        return None
    try:
        tree = _Reader(pattern).read()
    except _Unknown:
        return None
    places: list[str] = []
    for item in tree.options[0]:
        inner, times = (item.item, item.low) if isinstance(item, _Repeat) else (item, 1)
        if not isinstance(inner, _Chars) or (isinstance(item, _Repeat) and item.low != item.high):
            return None
        places += [inner.choices] * times
    return places


ANY_RUN = "%run"
ANY_ONE = "_one"


def _like_parts(pattern: str, escape: str | None) -> list[str]:
    parts: list[str] = []
    escaped = False
    for character in pattern:
        if escaped:
            parts.append(character)
            escaped = False
        elif escape and character == escape:
            escaped = True
        elif character == "%":
            parts.append(ANY_RUN)
        elif character == "_":
            parts.append(ANY_ONE)
        else:
            parts.append(character)
    return parts


def _fill(part: str, filler: str, draw: random.Random) -> str:
    if part is ANY_RUN:
        return filler
    if part is ANY_ONE:
        return draw.choice("aQ7")
    return part


class _Unknown(Exception):
    """The pattern uses a construct that is not read here."""


@dataclass(frozen=True)
class _Chars:
    """One character out of `choices`."""

    choices: str


@dataclass(frozen=True)
class _Repeat:
    item: _Node
    low: int
    high: int


@dataclass(frozen=True)
class _Either:
    """One of several sequences."""

    options: tuple[tuple[_Node, ...], ...]


_Node = _Chars | _Repeat | _Either


class _Reader:
    """Recursive descent over the common part of Java's and POSIX's regular expressions."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.place = 0
        self.depth = 0

    def read(self) -> _Either:
        node = self._either()
        if self.place < len(self.pattern):
            raise _Unknown
        return node

    def _peek(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def _next(self) -> str:
        character = self._peek()
        if not character:
            raise _Unknown
        self.place += 1
        return character

    def _either(self) -> _Either:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Unknown
        options = [self._sequence()]
        while self._peek() == "|":
            self.place += 1
            options.append(self._sequence())
        self.depth -= 1
        return _Either(tuple(options))

    def _sequence(self) -> tuple[_Node, ...]:
        items: list[_Node] = []
        while self._peek() not in ("", "|", ")"):
            character = self._next()
            if character in "^$":
                continue
            items.append(self._repeated(self._item(character)))
        return tuple(items)

    def _item(self, character: str) -> _Node:
        if character == "(":
            return self._group()
        if character == "[":
            return _Chars(self._character_class())
        if character == ".":
            return _Chars(_ANY)
        if character == "\\":
            return _Chars(self._escape())
        if character in "*+?{":
            raise _Unknown
        return _Chars(character)

    def _group(self) -> _Node:
        if self._peek() == "?":
            if self.pattern[self.place : self.place + 2] != "?:":
                raise _Unknown
            self.place += 2
        node = self._either()
        if self._next() != ")":
            raise _Unknown
        return node

    def _escape(self) -> str:
        character = self._next()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in _ESCAPES:
            return _ESCAPES[character]
        if character.isalnum():
            raise _Unknown  # \b, \p{…}, back references …
        return character

    def _character_class(self) -> str:
        negated = self._peek() == "^"
        if negated:
            self.place += 1
        choices = ""
        while (character := self._next()) != "]" or not choices:
            if character == "[":
                raise _Unknown  # [:alpha:], unions
            if character == "\\":
                choices += self._escape()
            elif self._peek() == "-" and self.pattern[self.place + 1 : self.place + 2] not in ("", "]"):
                self.place += 1
                last = self._next()
                if last == "\\" or ord(last) < ord(character) or ord(last) - ord(character) > 500:
                    raise _Unknown
                choices += "".join(chr(code) for code in range(ord(character), ord(last) + 1))
            else:
                choices += character
        if negated:
            choices = "".join(sign for sign in _WORD + " -." if sign not in choices)
        if not choices:
            raise _Unknown
        return choices

    def _repeated(self, item: _Node) -> _Node:
        sign = self._peek()
        if sign not in ("*", "+", "?", "{"):
            return item
        self.place += 1
        low, high = {"*": (0, 3), "+": (1, 3), "?": (0, 1)}.get(sign) or self._bounds()
        if self._peek() in ("?", "+"):  # lazy and possessive: the same strings
            self.place += 1
        return _Repeat(item, low, high)

    def _bounds(self) -> tuple[int, int]:
        inside = ""
        while (character := self._next()) != "}":
            inside += character
        first, comma, second = inside.partition(",")
        if not (first.isascii() and first.isdigit()) or len(first) > 3:
            raise _Unknown
        low = int(first)
        high = low if not comma else low + 2 if not second.isdigit() else int(second[:4])
        if low > MAX_REPEAT or high < low:
            raise _Unknown
        return low, min(high, low + 3)


def _build(node: _Node, draw: random.Random, left: list[int]) -> list[str]:
    """Characters of one match; `left` counts down how many it may still have."""
    if isinstance(node, _Chars):
        left[0] -= 1
        if left[0] < 0:
            raise _Unknown
        return [draw.choice(node.choices)]
    if isinstance(node, _Repeat):
        return [text for _ in range(draw.randint(node.low, node.high)) for text in _build(node.item, draw, left)]
    return [text for item in draw.choice(node.options) for text in _build(item, draw, left)]
