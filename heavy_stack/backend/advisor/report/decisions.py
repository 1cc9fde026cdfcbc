"""What is sent for each text, and why: one place decides, everything else in the report follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from heavy_stack.backend.advisor.artefacts import (
    DesignTable,
    ParsedText,
    ParsedWorkload,
    Plan,
    Rewrite,
    RewrittenText,
    TableName,
    TextVerdict,
    Verdicts,
)
from heavy_stack.shared_models.verdicts import Reason, Verdict


@dataclass(frozen=True)
class Decision:
    """One text's fate.

    Attributes:
        parsed: The text after parsing; its `answer` is what is sent when it stays unchanged.
        rewritten: What is sent instead; None when it stays unchanged.
        verdict: Its verdict, UNCHANGED when it stays.
        reason, detail: Why it stays.
        found: What verify knows, also of a rewrite that is not sent; None when it never got there.
        baseline_s: Measured seconds of a text that has no measured rewrite.
        baseline_texts: Where that is a median of other texts of its shape: of how many.
        spare: Other rewrites that could be sent, with what verify knows of them.
    """

    parsed: ParsedText
    rewritten: RewrittenText | None
    verdict: Verdict
    reason: Reason | None
    detail: str | None
    found: TextVerdict | None
    baseline_s: float | None = None
    baseline_texts: int | None = None
    spare: tuple[tuple[RewrittenText, TextVerdict], ...] = ()

    def without(self, name: TableName) -> Decision:
        """What is sent where a table is given up: the fastest other way that does not read it, else the original."""
        spare = tuple(each for each in self.spare if name not in each[0].tables)
        if self.rewritten is None or name not in self.rewritten.tables:
            return replace(self, spare=spare) if self.spare else self
        fitting = [each for each in spare if each[1].after_s is not None]
        if fitting:
            rewritten, found = min(fitting, key=lambda each: (each[1].after_s or 0.0, each[1].way))
            return replace(self, rewritten=rewritten, verdict=found.verdict, detail=None, found=found, spare=spare)
        why = "measured faster, but not by enough for the storage of the table that it would read"
        return replace(self, rewritten=None, verdict=Verdict.UNCHANGED, reason=Reason.NO_GAIN, detail=why)

    @property
    def query(self) -> str:
        """The text that is sent."""
        return self.rewritten.sql if self.rewritten is not None else self.parsed.answer

    @property
    def before_s(self) -> float | None:
        """Measured seconds of the original; None when nobody measured it."""
        return self.found.before_s if self.found is not None and self.found.before_s is not None else self.baseline_s

    @property
    def measured_texts(self) -> int | None:
        """Of how many other texts the times are medians; None where they are its own."""
        if self.found is not None and self.found.before_s is not None:
            return self.found.measured_texts
        return self.baseline_texts

    @property
    def after_s(self) -> float | None:
        """Seconds of what is sent: the rewrite's as measured, or the original's own."""
        if self.rewritten is None or self.found is None:
            return self.before_s
        return self.found.after_s

    @property
    def weighed_s(self) -> tuple[float | None, float | None]:
        """Seconds before and after by which tables are weighed: without Trino's exact numerics where that is known.

        Emulating them costs both sides, and not alike; what the engine itself takes says more about a table.
        """
        found = self.found
        if self.rewritten is None or found is None or found.before_plain_s is None or found.after_plain_s is None:
            return self.before_s, self.after_s
        return found.before_plain_s, found.after_plain_s

    @property
    def ratio(self) -> float | None:
        """A/T as measured; exactly 1 for a text that stays and was measured."""
        before_s, after_s = self.before_s, self.after_s
        if self.rewritten is None:
            return None if before_s is None else 1.0
        return before_s / after_s if before_s is not None and after_s is not None and after_s > 0 else None


def decide(parsed: ParsedWorkload, plan: Plan, rewrite: Rewrite, verdicts: Verdicts) -> list[Decision]:
    """One decision per text, by index. Only what is known to be equal, and not measured slower, is sent rewritten."""
    rewritten = {text.text: text for text in rewrite.texts}
    found = {verdict.text: verdict for verdict in verdicts.texts}
    spare: dict[int, list[tuple[RewrittenText, TextVerdict]]] = {}
    for verdict in verdicts.spare:
        spare.setdefault(verdict.text, []).append((rewrite.others[verdict.text][verdict.way - 1], verdict))
    return [
        replace(
            _decide(text, _way(rewritten, rewrite, found.get(text.text), text), found.get(text.text), plan, rewrite),
            baseline_s=verdicts.baseline_s.get(text.text),
            baseline_texts=verdicts.baseline_texts.get(text.text),
            spare=tuple(spare.get(text.text, ())),
        )
        for text in sorted(parsed.texts, key=lambda text: text.text)
    ]


def _way(
    first: Mapping[int, RewrittenText], rewrite: Rewrite, found: TextVerdict | None, text: ParsedText
) -> RewrittenText | None:
    """The rewrite that the verdict is about."""
    others = rewrite.others.get(text.text, ())
    return others[found.way - 1] if found is not None and found.way else first.get(text.text)


def _decide(
    text: ParsedText, rewritten: RewrittenText | None, found: TextVerdict | None, plan: Plan, rewrite: Rewrite
) -> Decision:
    if found is not None and found.verdict is not Verdict.UNCHANGED and rewritten is not None:
        if found.before_s is None or found.after_s is None or found.after_s < found.before_s:
            return Decision(text, rewritten, found.verdict, None, found.detail, found)
        slower = f"measured no faster: {found.before_s:.4f} s before, {found.after_s:.4f} s on the new tables"
        return Decision(text, None, Verdict.UNCHANGED, Reason.NO_GAIN, slower, found)
    reason, detail = _why_unchanged(text, rewritten, found, plan, rewrite)
    return Decision(text, None, Verdict.UNCHANGED, reason, detail, found)


def _why_unchanged(
    text: ParsedText, rewritten: RewrittenText | None, found: TextVerdict | None, plan: Plan, rewrite: Rewrite
) -> tuple[Reason, str | None]:
    """The earliest stage that gave up knows best; a rewrite without a verdict was not reached in time."""
    number = text.text
    if text.reason is not None:
        return text.reason, text.detail
    if found is not None and found.reason is not None:
        return found.reason, found.detail
    if number in rewrite.failed:
        return plan.reasons.get(number, Reason.NO_GAIN), rewrite.failed[number]
    if number in plan.reasons or number in plan.unanswered:
        return plan.reasons.get(number, Reason.NO_GAIN), plan.unanswered.get(number)
    if rewritten is not None:
        return Reason.OUT_OF_TIME, "no verdict was reached in time"
    return Reason.NO_GAIN, None if rewrite.tables else "The design has no table."


def tables_read(decisions: list[Decision], rewrite: Rewrite) -> tuple[DesignTable, ...]:
    """The design's tables that some sent text reads, directly or through another of them; in the design's order."""
    wanted: set[TableName] = set()
    for decision in decisions:
        if decision.rewritten is not None:
            wanted.update(decision.rewritten.tables)
    for table in reversed(rewrite.tables):  # a table reads only tables that stand before it
        if table.name in wanted:
            wanted.update(table.source_tables)
    return tuple(table for table in rewrite.tables if table.name in wanted)
