"""Regular expressions that mean the same in Trino (Joni with Java's syntax) and in DuckDB (RE2).

Both search from the left, prefer the first alternative, and know `\\d` and `\\w` for ASCII only. What differs is
written otherwise (`\\s` holds the vertical tab in Trino; `$` also matches before a last line end) or refused:
look-around, back-references, possessive repeats, flags, other classes.
"""

from __future__ import annotations

from dataclasses import dataclass

from heavy_stack.backend.advisor.ports import NotCheckable

_LITERAL_ESCAPES = ".^$*+?()[]{}|\\/-_ :;,'\"!@#%&=<>~`"
_CLASSES = "dDwWntrf"
_SPACES = "\\t\\n\\x0b\\f\\r "
_MAX_REPEAT = 1000  # RE2 refuses more
_ORDINARY_ENDS = frozenset("()[]{}*+?|^$\\.")


@dataclass(frozen=True)
class Pattern:
    """What a checked pattern needs to know.

    Attributes:
        groups: Number of capturing groups.
        has_start: Whether `^` stands in it.
        has_end: Whether `$` stands in it: it also matches before a last line end in Trino, not in RE2.
        text: The pattern for RE2.
        as_condition: The same for a yes or no, that line end allowed for.
        matches_empty: Whether it may match the empty string.
        optional_groups: Whether a group may stay without a match.
    """

    groups: int
    has_start: bool
    has_end: bool
    text: str
    as_condition: str
    matches_empty: bool
    optional_groups: bool


def check_pattern(pattern: str) -> Pattern:
    """Read a pattern of the common subset.

    Raises:
        NotCheckable: It holds something that may differ; the message names it.
    """
    return _Reader(pattern).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.groups = 0
        self.has_start = False
        self.ends: list[int] = []
        self.spaces: list[tuple[int, str]] = []
        self.optional_groups = False

    def read(self) -> Pattern:
        empty = self._alternatives(0)
        if self.at < len(self.text):
            raise NotCheckable("an unbalanced regular expression")
        plain, condition = self._written([]), self._written(self.ends)
        return Pattern(self.groups, self.has_start, bool(self.ends), plain, condition, empty, self.optional_groups)

    def _written(self, ends: list[int]) -> str:
        """The pattern with \\s spelled out, and each `$` that is given also matching before a last line end."""
        changes = [(at, 2, letters) for at, letters in self.spaces]
        for end in ends:
            if self.text[end + 1 :].split("|", 1)[0].strip(")"):
                raise NotCheckable("a $ within a regular expression")
            changes.append((end, 1, "(?:\\n?\\z)"))
        written = self.text
        for at, width, replacement in sorted(changes, reverse=True):
            written = written[:at] + replacement + written[at + width :]
        return written

    def _alternatives(self, depth: int) -> bool:
        """Whether the alternatives up to `)` or the end may match nothing."""
        if depth > 20:
            raise NotCheckable("a deeply nested regular expression")
        before = self.groups
        empty = self._sequence(depth)
        several = False
        while self._peek() == "|":
            self.at += 1
            several = True
            empty = self._sequence(depth) or empty
        if several and self.groups > before:
            self.optional_groups = True
        return empty

    def _sequence(self, depth: int) -> bool:
        empty = True
        while self._peek() not in ("", "|", ")"):
            before = self.groups
            item_empty, assertion = self._item(depth)
            least = self._repeat(assertion)
            if least == 0 and self.groups > before:
                self.optional_groups = True
            empty = empty and (item_empty or least == 0)
        return empty

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _item(self, depth: int) -> tuple[bool, bool]:
        """(may match nothing, is an assertion) of the item at the position."""
        char = self._peek()
        self.at += 1
        if char == "(":
            if self.text.startswith("?:", self.at):
                self.at += 2
            elif self._peek() == "?":
                raise NotCheckable("look-around or flags in a regular expression")
            else:
                self.groups += 1
            empty = self._alternatives(depth + 1)
            if self._peek() != ")":
                raise NotCheckable("an unbalanced regular expression")
            self.at += 1
            return empty, False
        if char == "$":
            self.ends.append(self.at - 1)
        if char in "^$":
            self.has_start = self.has_start or char == "^"
            return True, True
        if char == ".":
            return False, False
        if char == "[":
            self._set()
            return False, False
        if char == "\\":
            self._escape(False)
            return False, False
        if char in _ORDINARY_ENDS:
            raise NotCheckable("a stray repeat or bracket in a regular expression")
        return False, False

    def _escape(self, in_set: bool) -> None:
        char = self._peek()
        if char in ("s", "S"):
            if char == "S" and in_set:
                raise NotCheckable("\\S within a set of a regular expression")
            around = ("", "") if in_set else ("[^" if char == "S" else "[", "]")
            self.spaces.append((self.at - 1, f"{around[0]}{_SPACES}{around[1]}"))
        elif not char or char not in _LITERAL_ESCAPES + _CLASSES:
            raise NotCheckable(f"\\{char} in a regular expression")
        self.at += 1

    def _set(self) -> None:
        if self._peek() == "^":
            # A negated set takes in line ends and every letter beyond ASCII, in both engines alike.
            self.at += 1
        first = True
        while True:
            char = self._peek()
            if not char:
                raise NotCheckable("an unbalanced regular expression")
            self.at += 1
            if char == "]" and not first:
                return
            if char in "[]" or self.text.startswith("&&", self.at - 1):
                raise NotCheckable("a nested set in a regular expression")
            if char == "\\":
                self._escape(True)
            first = False

    def _repeat(self, assertion: bool) -> int:
        """The least number of repeats of the item just read: 1 without a repeat."""
        char = self._peek()
        if char not in ("*", "+", "?", "{") or not char:
            return 1
        if assertion:
            raise NotCheckable("a repeated ^ or $ in a regular expression")
        self.at += 1
        least = {"*": 0, "?": 0, "+": 1}.get(char, 0)
        if char == "{":
            end = self.text.find("}", self.at)
            low, comma, high = self.text[self.at : max(end, self.at)].partition(",")
            if end < 0 or not low.isdigit() or (comma and high and not high.isdigit()):
                raise NotCheckable("a brace that is no repeat in a regular expression")
            if max(int(low), int(high or 0)) > _MAX_REPEAT:
                raise NotCheckable("a long repeat in a regular expression")
            least = int(low)
            self.at = end + 1
        if self._peek() == "?":
            self.at += 1  # lazy
        if self._peek() in ("+", "?", "*", "{") and self._peek():
            raise NotCheckable("a possessive or doubled repeat in a regular expression")
        return least
