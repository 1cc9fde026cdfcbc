"""The second and every further text of a shape: what the first one's parse found, at this text's own places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot.tokenizer_core import Token

from heavy_stack.backend.advisor.artefacts import ParsedText
from heavy_stack.backend.advisor.sql.guards import place
from heavy_stack.backend.advisor.sql.literal_sites import Shape
from heavy_stack.backend.advisor.sql.table_names import Edit, edited


@dataclass(frozen=True)
class KnownShape:
    """What is known of a shape.

    Attributes:
        parsed: The text that was parsed.
        edits: What changed it into its answer: (unit, whether its token goes, what stands there instead).
        at: The unit that is to blame where the text is set aside with a place.
    """

    parsed: ParsedText
    edits: tuple[tuple[int, bool, str], ...]
    at: int | None

    def read(self, index: int, text: str, tokens: Sequence[Token], shape: Shape) -> ParsedText:
        """The parsed text of another text of this shape."""
        edits: list[Edit] = []
        for unit, goes, new in self.edits:
            token = tokens[shape.token_of(unit)]
            edits.append((token.start, token.end + 1 if goes else token.start, new))
        answer = edited(text, edits)
        line, column = (None, None) if self.at is None else place(text, tokens[shape.token_of(self.at)].start)
        sql = None if self.parsed.sql is None else answer
        return replace(self.parsed, text=index, answer=answer, sql=sql, line=line, column=column)


def known_shape(
    text: str, tokens: Sequence[Token], shape: Shape, edits: Sequence[Edit], parsed: ParsedText
) -> KnownShape | None:
    """What the parse of `text` says about its shape; None where it says nothing about other texts.

    Args:
        text: The client's text.
        tokens, shape: Its tokens and their shape.
        edits: What changed it into its answer.
        parsed: What came of it.
    """
    if parsed.reason is not None and any(char.isdigit() for char in parsed.detail or ""):
        return None  # the sentence may speak of a place, or of a number of this very text
    starts = {token.start: number for number, token in enumerate(tokens)}
    found: list[tuple[int, bool, str]] = []
    for start, end, new in edits:
        first = starts.get(start)
        unit = None if first is None else shape.unit_of(first)
        if first is None or unit is None or end not in (start, tokens[first].end + 1):
            return None
        found.append((unit, end > start, new))
    if parsed.line is None or parsed.column is None:
        return KnownShape(parsed, tuple(found), None)
    at = next((n for n, token in enumerate(tokens) if place(text, token.start) == (parsed.line, parsed.column)), None)
    unit = None if at is None else shape.unit_of(at)
    return None if unit is None else KnownShape(parsed, tuple(found), unit)
