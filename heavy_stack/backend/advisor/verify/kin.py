"""Texts that are verified together: original and rewrite of one are those of the other with other literals.

A few of them are run; what these show holds for all. Whether two texts belong together is read off the texts as they
would be sent, so it does not matter how the rewrite was made: the originals have one shape, and in the rewrites every
literal either is the same or stands for the same literal of the original. A literal that was computed from one makes
texts strangers, and each is run by itself.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from heavy_stack.backend.advisor.artefacts import ParsedText, RewrittenText
from heavy_stack.backend.advisor.sql.literal_sites import Site, round_steps, shape_of
from heavy_stack.backend.advisor.sql.parsing import SqlProblem, tokens_of
from heavy_stack.backend.advisor.sql.printed_literals import printed_text
from heavy_stack.backend.advisor.verify.cases import NEEDED_DATA_SETS, Case
from heavy_stack.shared_models.reports import Evidence
from heavy_stack.shared_models.verdicts import Reason, Verdict

NEEDED_LITERALS = 3
"""Sets of literals that must have been run before they speak for others."""
TIMED_IN_FULL = 80
"""Groups whose first text is timed several times, and without Trino's exact numerics too."""
LOOKED_AT = 60
"""Texts among which the ones that differ most are chosen."""


@dataclass
class Kin:
    """Texts that are verified together.

    Attributes:
        texts: All of them, the often run ones first.
        runs: Their runs.
        sites: The literals of each original, by text.
        tried: Cases of the texts that are run.
        others: Cases of the texts that they speak for.
    """

    texts: list[RewrittenText]
    runs: int
    sites: dict[int, tuple[Site, ...]]
    tried: list[Case] = field(default_factory=list)
    others: list[Case] = field(default_factory=list)

    def spokesmen(self) -> list[RewrittenText]:
        """Texts to be run: at least three, with different literals, and unlike in all in which the others differ."""
        chosen = self.texts[:1]
        rest = self.texts[1 : 1 + LOOKED_AT]
        while rest and len(chosen) < NEEDED_LITERALS:
            best = max(rest, key=lambda text: self._news(text, chosen))
            rest.remove(best)
            chosen.append(best)
        taken = {text.text for text in chosen}
        for text in self.texts:
            if text.text not in taken and not self._is_spoken_for(text, chosen):
                chosen.append(text)
                taken.add(text.text)
        return chosen

    def more(self) -> list[RewrittenText]:
        """Further texts to be run, where too few of those that were tried could be compared."""
        passed = sum(case.open and case.counted >= NEEDED_DATA_SETS for case in self.tried)
        if passed >= NEEDED_LITERALS or any(not case.open for case in self.tried):
            return []
        taken = {case.text for case in self.tried}
        waiting = [text for text in self.texts if text.text not in taken]
        return waiting[: 2 * (NEEDED_LITERALS - passed)]

    def _news(self, text: RewrittenText, chosen: Iterable[RewrittenText]) -> tuple[int, int]:
        """In how many literals it is unlike all chosen ones; of two such the one with the less round numbers."""
        known = [self.sites[each.text] for each in chosen]
        mine = self.sites[text.text]
        unlike = sum(all(site.values != each[place].values for each in known) for place, site in enumerate(mine))
        return unlike, -sum(len(round_steps(site)) for site in mine)

    def _is_spoken_for(self, text: RewrittenText, chosen: Iterable[RewrittenText]) -> bool:
        """Whether the chosen ones differ in each literal in which it is unlike them, and are no rounder than it."""
        known = [self.sites[each.text] for each in chosen]
        for place, site in enumerate(self.sites[text.text]):
            theirs = [each[place] for each in known]
            values = {each.values for each in theirs}
            if site.values not in values and len(values) == 1:
                return False
            steps = round_steps(theirs[0]).intersection(*(round_steps(each) for each in theirs[1:]))
            if not steps <= round_steps(site):
                return False
        return True

    def share_tests(self) -> None:
        """What conditions and test data showed of the tried ones, for the others."""
        different = next((case for case in self.tried if _refused_for(case, Reason.DIFFERENT)), None)
        if different is not None:
            self._refuse_like(different, [*self.tried, *self.others])
            return
        passed = [case for case in self.tried if case.is_sent]
        if len(passed) >= NEEDED_LITERALS:
            by_rule = all(case.verdict and case.verdict.verdict is Verdict.EQUAL_BY_RULE for case in passed)
            for case in self.others:
                _inherit(case, self.tried[0], len(passed))
                case.accept(Verdict.EQUAL_BY_RULE if by_rule else Verdict.EQUAL_ON_TESTS)
            return
        refused = next((case for case in self.tried if not case.open and not case.is_sent), None)
        if refused is not None:
            self._refuse_like(refused, self.others)

    def share_data(self) -> None:
        """What the client's data showed of those that were run on it, for the others."""
        ran = [*self.tried, *self.others]
        different = next((case for case in ran if _refused_for(case, Reason.DIFFERENT)), None)
        silent = [case for case in self.others if case.is_sent and not _is_on_data(case)]
        if different is not None:
            self._refuse_like(different, silent)
            return
        timed = [(each.before_s, each.after_s) for each in self.tried if each.before_s and each.after_s]
        slow = [case for case in self.tried if _refused_for(case, Reason.NO_GAIN)]
        if timed:
            before_s, after_s = statistics.median(b for b, _ in timed), statistics.median(a for _, a in timed)
            for case in self.others:
                if case.before_s is None:
                    case.before_s, case.after_s, case.measured_texts = before_s, after_s, len(timed)
        if timed and 2 * len(slow) > len(timed):
            self._refuse_like(slow[0], [case for case in self.others if case.is_sent])
        elif self.tried and not any(case.is_sent for case in self.tried):
            self._refuse_like(self.tried[0], silent)

    def _refuse_like(self, model: Case, cases: Iterable[Case]) -> None:
        verdict = model.verdict
        for case in cases:
            if verdict is not None and verdict.reason is not None and case is not model:
                case.refuse(verdict.reason, f"another text of its shape was tried: {verdict.detail}")


def kin_of(texts: Iterable[RewrittenText], parsed: Mapping[int, ParsedText], runs: Mapping[int, int]) -> list[Kin]:
    """All texts in groups that are verified together, the most often run group first."""
    groups: dict[str, Kin] = {}
    for text in sorted(texts, key=lambda each: (-runs.get(each.text, 0), each.text)):
        try:
            key, sites = _key(parsed[text.text].sql or parsed[text.text].answer, text)
        except SqlProblem:
            key, sites = f"text {text.text}", ()
        found = groups.setdefault(key, Kin([], 0, {}))
        found.texts.append(text)
        found.runs += runs.get(text.text, 0)
        found.sites[text.text] = sites
    return sorted(groups.values(), key=lambda each: -each.runs)


def in_turns(groups: Iterable[Kin], cases_of: Callable[[Kin], list[Case]]) -> list[Case]:
    """The first case of each group, then the second ones, and so on; the later ones are timed briefly."""
    ranked = [(place, case) for group in groups for place, case in enumerate(cases_of(group))]
    cases = [case for _, case in sorted(ranked, key=lambda each: each[0])]
    firsts = sum(place == 0 for place, _ in ranked)
    for number, case in enumerate(cases):
        case.brief = number >= min(firsts, TIMED_IN_FULL)
    return cases


def _key(original: str, rewritten: RewrittenText) -> tuple[str, tuple[Site, ...]]:
    shape = shape_of(tokens_of(original))
    names = {(site.quoted, site.values): place for place, site in reversed(list(enumerate(shape.sites)))}
    printed = printed_text(rewritten.sql)
    literals = [f"@{names[each.value]}" if each.value in names else repr(each.value) for each in printed.literals]
    parts = [shape.key, *printed.rest, "", *literals, "", str(rewritten.by_rule), *rewritten.rules]
    parts += map(str, rewritten.tables)
    parts += [part for condition in rewritten.conditions for part in condition]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest(), shape.sites


def _inherit(case: Case, model: Case, sets: int) -> None:
    case.discharged = model.discharged
    case.evidence += [each for each in model.evidence if each.kind == "condition"]
    detail = f"verified with {sets} sets of literals: texts that differ from it in literals only"
    case.note(Evidence(kind="data_set", name=f"{sets} texts of its shape", outcome="equal", detail=detail))


def _is_on_data(case: Case) -> bool:
    return case.verdict is not None and case.verdict.verdict is Verdict.EQUAL_ON_DATA


def _refused_for(case: Case, reason: Reason) -> bool:
    return case.verdict is not None and case.verdict.reason is reason
