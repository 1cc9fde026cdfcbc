"""One rewritten text on its way to a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from heavy_stack.backend.advisor.artefacts import RewrittenText, TextVerdict
from heavy_stack.backend.advisor.verify.check_texts import CheckTexts
from heavy_stack.shared_models.reports import Evidence
from heavy_stack.shared_models.verdicts import Reason, Verdict

NEEDED_DATA_SETS = 3
"""EQUAL_ON_TESTS needs so many data sets on which the original returned rows."""


@dataclass
class Case:
    """What is known so far about one text.

    Attributes:
        original: The client's text, as it is run before and after.
        rewritten: What would be sent instead.
        check: The pair of texts that is compared; None until prepared.
        ties: What in the original depends on the order of tied rows, in words.
        discharged: All side conditions hold.
        counted: Data sets on which the original returned rows and both sides were equal.
        missed: Why the other data sets do not count, once each.
        interrupted: The time ended before all data sets were tried.
        verdict: Set when decided.
        brief: One timed run will do: other texts like it, or many that run more often, are timed as well.
        measured_texts: Where the times are medians of other texts of its shape: of how many.
        way: Which of the text's rewrites it is: 0 is the first.
    """

    text: int
    runs: int
    original: str
    rewritten: RewrittenText
    check: CheckTexts | None = None
    ties: str | None = None
    discharged: bool = False
    counted: int = 0
    missed: dict[str, None] = field(default_factory=dict)
    interrupted: bool = False
    evidence: list[Evidence] = field(default_factory=list)
    verdict: TextVerdict | None = None
    before_s: float | None = None
    after_s: float | None = None
    before_plain_s: float | None = None
    after_plain_s: float | None = None
    measured_texts: int | None = None
    brief: bool = False
    way: int = 0

    @property
    def open(self) -> bool:
        """Not decided yet."""
        return self.verdict is None

    @property
    def is_sent(self) -> bool:
        """Decided: the rewrite may be sent."""
        return self.verdict is not None and self.verdict.verdict is not Verdict.UNCHANGED

    def refuse(self, reason: Reason, detail: str) -> None:
        """Decide: answered as it was."""
        self.verdict = self._verdict(Verdict.UNCHANGED, reason, detail)

    def accept(self, verdict: Verdict, detail: str | None = None) -> None:
        """Decide: the rewrite is sent."""
        self.verdict = self._verdict(verdict, None, detail)

    def note(self, evidence: Evidence) -> None:
        """Keep a piece of evidence."""
        self.evidence.append(evidence)

    def final(self) -> TextVerdict:
        """The verdict, with all evidence and times."""
        verdict = self.verdict or self._verdict(
            Verdict.UNCHANGED, Reason.OUT_OF_TIME, "the time budget ended before it was verified"
        )
        return replace(
            verdict,
            evidence=tuple(self.evidence),
            before_s=self.before_s,
            after_s=self.after_s,
            before_plain_s=self.before_plain_s,
            after_plain_s=self.after_plain_s,
            measured_texts=self.measured_texts,
            way=self.way,
        )

    def weigh_tests(self) -> None:
        """The verdict that conditions and test data support; nothing has been found different."""
        if self.rewritten.by_rule and self.discharged and self.counted:  # a rule that nobody saw at work proves nothing
            self.accept(Verdict.EQUAL_BY_RULE)
        elif self.counted >= NEEDED_DATA_SETS:
            self.accept(Verdict.EQUAL_ON_TESTS)
        else:
            why = "; ".join(self.missed) or "it returned no rows"
            self.refuse(
                Reason.NOT_CHECKABLE,
                f"only {self.counted} of {NEEDED_DATA_SETS} data sets needed could be compared: {why}",
            )

    def _verdict(self, verdict: Verdict, reason: Reason | None, detail: str | None) -> TextVerdict:
        return TextVerdict(self.text, verdict, reason, detail)
