"""Where a text holds literals that next month's text may hold otherwise, and what texts have in common beside them.

Read off the tokens, so it costs a fraction of a parse. A *site* is a literal that something is compared with (=, <, IN,
BETWEEN, …), a DATE or TIMESTAMP literal, LIMIT or OFFSET. All other literals (patterns, lists of exceptions, units,
positions, decimals of ROUND) are part of the text's *shape*: for them another value is another question.

Texts of one shape have the same tokens up to their sites, literals of the same *kinds* there, and the same literals
equal to each other. A kind is what decides about a literal beside its value: the type, 0 and 1, and of a moment whether
it starts a month, a day, an hour or a minute, or ends a month. What a number is a multiple of may decide too, but
numbers would have too many such kinds: `round_steps` says it.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from sqlglot.tokenizer_core import Token, TokenType

from heavy_stack.backend.advisor.sql.parsing import decimal_shape

_INTEGER_MAX, _LARGEST = 2**31 - 1, 2**50
"""A number beyond the second is what it is: as a double it has no fractions, and soon no neighbours."""
_LONGEST = 40
_COMPARED = frozenset(
    {TokenType.EQ, TokenType.NEQ, TokenType.GT, TokenType.GTE, TokenType.LT, TokenType.LTE, TokenType.BETWEEN}
)
_COUNTED = frozenset({TokenType.LIMIT, TokenType.OFFSET})
_MOMENTS = frozenset({TokenType.DATE, TokenType.TIMESTAMP})
_TYPED = _MOMENTS | {TokenType.DECIMAL}
_LITERALS = frozenset({TokenType.NUMBER, TokenType.STRING})
_LOOKED_AT = _LITERALS | {TokenType.IN}
_BEFORE_LITERAL = _TYPED | {TokenType.DASH}
_FRAME_WORDS = frozenset({"PRECEDING", "FOLLOWING"})


@dataclass(frozen=True, slots=True)
class Site:
    """A literal, or a whole list of plain literals after IN.

    Attributes:
        first, last: Token indexes, both included.
        kind: What decides about it beside its value.
        values: The literals as the tokens have them: numbers as written, strings without quotes.
        quoted: They are strings.
    """

    first: int
    last: int
    kind: str
    values: tuple[str, ...]
    quoted: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What a text is up to its sites.

    Attributes:
        key: The same for all texts of one shape.
        sites: In the text's order.
    """

    key: str
    sites: tuple[Site, ...]

    def unit_of(self, token: int) -> int | None:
        """The place of a token among the units of all texts of the shape, where a list is one unit; None inside one."""
        for site in reversed(self.sites):
            if site.first < token <= site.last:
                return None
            if site.last < token:
                token -= site.last - site.first
        return token

    def token_of(self, unit: int) -> int:
        """The token at (or the first one of) a unit."""
        for site in self.sites:
            if site.first < unit:
                unit += site.last - site.first
        return unit


def shape_of(tokens: Sequence[Token]) -> Shape:
    """The shape of a text by its tokens."""
    reader = _Reader(tokens)
    sites = tuple(reader.sites())
    numbers: dict[tuple[bool, tuple[str, ...]], int] = {}
    parts = [f"{kind}:{token.text}" for kind, token in zip(map(int, reader.kinds), tokens, strict=True)]
    for index in reader.glued():
        parts[index] += "~"
    for site in reversed(sites):
        same = numbers.setdefault((site.quoted, site.values), len(numbers))
        parts[site.first : site.last + 1] = [f"?{site.kind}#{same}"]
    return Shape(hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32], sites)


class _Reader:
    """Finds the sites among tokens, whose kinds and texts it reads once."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.kinds = [token.token_type for token in tokens]
        self.count = len(self.kinds)
        self.found: list[Site] = []

    def sites(self) -> list[Site]:
        """In the text's order."""
        behind = 0
        for index, kind in enumerate(self.kinds):
            if kind not in _LOOKED_AT or index < behind:
                continue
            if kind is TokenType.IN:
                behind = self._listed(index)
            elif self._is_compared(index):
                self._add(index)
        return self.found

    def glued(self) -> list[int]:
        """Numbers with a name directly behind them."""
        return [index for index, kind in enumerate(self.kinds) if kind is TokenType.NUMBER and self._is_glued(index)]

    def _kind_at(self, index: int) -> TokenType | None:
        return self.kinds[index] if 0 <= index < self.count else None

    def _listed(self, at: int) -> int:
        """Add the sites of the list after the IN at `at`; the index behind what was read."""
        if self._kind_at(at + 1) is not TokenType.L_PAREN:
            return at + 1
        index = at + 2
        elements: list[int] = []
        plain = True
        while True:
            while self._kind_at(index) in _BEFORE_LITERAL:
                plain = False
                index += 1
            if self._kind_at(index) not in _LITERALS:
                return at + 1  # a subquery or expressions
            elements.append(index)
            following = self._kind_at(index + 1)
            index += 2
            if following is TokenType.R_PAREN:
                break
            if following is not TokenType.COMMA:
                return at + 1
        if self._kind_at(at - 1) is TokenType.NOT:
            return index  # a list of exceptions is part of the question
        if not plain or not self._add_list(at + 2, index - 2, elements):
            for each in elements:
                self._add(each)
        return index

    def _add_list(self, first: int, last: int, elements: list[int]) -> bool:
        kind = self.kinds[first]
        kinds = set()
        for index in elements:
            name = self._site_kind(index) if self.kinds[index] is kind else None
            if name is None:
                return False
            kinds.add("i" if name == "1" else name)
        several = "+" if len(elements) > 1 else ""
        values = tuple([self.tokens[index].text for index in elements])
        name = f"({'|'.join(sorted(kinds))}){several}"
        self.found.append(Site(first, last, name, values, kind is TokenType.STRING))
        return True

    def _add(self, index: int) -> None:
        kind = self._site_kind(index)
        if kind is not None and kind not in ("0", "1"):  # these two are what they are
            self.found.append(Site(index, index, kind, (self.tokens[index].text,), self._is_text(index)))

    def _is_text(self, index: int) -> bool:
        return self.kinds[index] is TokenType.STRING

    def _is_compared(self, index: int) -> bool:
        """Whether the literal stands where a text may hold another one next time."""
        before = index - 1
        ahead = self._kind_at(before)
        if ahead in _TYPED:
            if ahead in _MOMENTS:
                return True
            before -= 1
        elif ahead is TokenType.DASH:
            before -= 1
        kind, after = self._kind_at(before), self._kind_at(index + 1)
        if kind is None or after is TokenType.STRING:
            return False
        if after is TokenType.VAR and self.tokens[index + 1].text.upper() in _FRAME_WORDS:
            return False
        if kind in _COMPARED or (kind in _COUNTED and before == index - 1):
            return True
        if kind is TokenType.AND and self._bounds_a_range(before):
            return True
        if after in _COMPARED and after is not TokenType.BETWEEN and before == index - 1:
            return True
        return self._is_cast_to_moment(index)

    def _bounds_a_range(self, conjunction: int) -> bool:
        """Whether this AND follows a BETWEEN and one literal."""
        if self._kind_at(conjunction - 1) not in _LITERALS:
            return False
        start = conjunction - 2
        while self._kind_at(start) in _BEFORE_LITERAL:
            start -= 1
        return self._kind_at(start) is TokenType.BETWEEN

    def _is_cast_to_moment(self, index: int) -> bool:
        """CAST('…' AS DATE or TIMESTAMP), date('…')."""
        if not self._is_text(index) or index < 2 or self.kinds[index - 1] is not TokenType.L_PAREN:
            return False
        called, after = self.kinds[index - 2], self._kind_at(index + 1)
        if called is TokenType.DATE and after is TokenType.R_PAREN:
            return True
        return (
            after is TokenType.ALIAS
            and self._kind_at(index + 2) in _MOMENTS
            and self.tokens[index - 2].text.upper() == "CAST"
        )

    def _site_kind(self, index: int) -> str | None:
        """None for a literal that stays part of the shape: its spelling is unusual."""
        text = self.tokens[index].text
        if not self._is_text(index):
            return None if self._is_glued(index) else _number_kind(text)
        typed = self._kind_at(index - 1)
        if typed is TokenType.DECIMAL:
            shape = decimal_shape(text)
            return None if shape is None else f"p{shape[0]},{shape[1]}{_sign(text)}"
        kind = _text_kind(text)
        if kind is not None and not kind.startswith("m") and (typed in _MOMENTS or self._is_cast_to_moment(index)):
            return None
        return kind

    def _is_glued(self, index: int) -> bool:
        """A number with a name directly behind it (`1_000`, `5abc`) is no number of its own."""
        after = self._kind_at(index + 1)
        return after is TokenType.VAR and self.tokens[index + 1].start == self.tokens[index].end + 1


def round_steps(site: Site) -> frozenset[int]:
    """The steps that people count in (2, 5, 10, 20, …) of which all numbers of a site are multiples."""
    if site.quoted:
        return _NO_STEPS
    steps = [_steps_of(value) for value in site.values]
    return steps[0].intersection(*steps[1:]) if len(steps) > 1 else steps[0]


_STEPS = tuple(unit * 10**power for power in range(12) for unit in (1, 2, 5))[1:]
_NO_STEPS: frozenset[int] = frozenset()


@lru_cache(maxsize=65_536)
def _steps_of(number: str) -> frozenset[int]:
    value = Decimal(number)
    return frozenset(step for step in _STEPS if value >= step and value % step == 0)


@lru_cache(maxsize=65_536)
def _number_kind(text: str) -> str | None:
    if not text.isascii() or not text[0].isdigit() or not text[-1].isdigit():
        return None
    mantissa, mark, exponent = text.lower().partition("e")
    if not mantissa.replace(".", "", 1).isdigit() or (mark and not exponent.lstrip("+-").isdigit()):
        return None
    if len(text) > _LONGEST or len(exponent) > len("+99") or Decimal(text) > _LARGEST:
        return None
    if mark:
        return f"e{_sign(mantissa)}"
    if "." in text:
        shape = decimal_shape(text)
        return None if shape is None else f"d{shape[0]},{shape[1]}{_sign(text)}"
    value = int(text)
    return str(value) if value < 2 else "i" if value <= _INTEGER_MAX else "b"


def _sign(text: str) -> str:
    return "" if any(digit in "123456789" for digit in text) else "0"


@lru_cache(maxsize=65_536)
def _text_kind(text: str) -> str | None:
    if text == "":
        return None
    moment = _moment_kind(text)
    if moment is not None:
        return moment
    try:
        number = float(text)
    except ValueError:
        return "s"
    return "s0" if number == 0 else "s1"


def _moment_kind(text: str) -> str | None:
    bare = text.strip()
    try:
        moment = datetime.datetime.fromisoformat(bare)
        as_date = datetime.date.fromisoformat(bare) is not None
    except ValueError:
        as_date = False
        try:
            moment = datetime.datetime.fromisoformat(bare)
        except ValueError:
            return None
    form = f"m{'d' if as_date else 't'}{len(text)}"
    if moment.tzinfo is not None:
        return f"{form}z"
    if moment.time() != datetime.time():
        return f"{form}{'s' if moment.second or moment.microsecond else 'i' if moment.minute else 'h'}"
    if moment.day == 1:
        return f"{form}m"
    if moment.date() == datetime.date.max or (moment + datetime.timedelta(days=1)).day == 1:
        return f"{form}e{'31' if moment.day == 31 else ''}"
    return form
