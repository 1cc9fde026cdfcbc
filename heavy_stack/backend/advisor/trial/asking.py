"""Which query texts are run to try tables out: one of those that ask alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

from heavy_stack.backend.advisor.artefacts import ParsedText, ParsedWorkload, WorkloadProfile
from heavy_stack.backend.advisor.select.model import Demand, Problem
from heavy_stack.backend.advisor.select.problem import weight_of


@dataclass(frozen=True)
class Asked:
    """Texts of one shape that the same tables could answer.

    Attributes:
        text: The one that is run.
        demand: What they all ask, by estimates.
    """

    text: ParsedText
    demand: Demand


def asked_of(problem: Problem, parsed: ParsedWorkload, profile: WorkloadProfile) -> list[Asked]:
    """The problem's texts, those with the most work first."""
    runs = profile.for_design().runs
    texts = {text.text: text for text in parsed.texts}
    groups: dict[tuple[str, frozenset[int]], list[tuple[ParsedText, Demand]]] = {}
    for demand in problem.demands:
        for number in demand.texts:
            text = texts[number]
            groups.setdefault((text.shape or f"text {number}", demand.tables), []).append((text, demand))
    found = []
    for group in groups.values():
        group.sort(key=lambda each: (-runs.get(each[0].text, 0), each[0].text))
        text, demand = group[0]
        numbers = tuple(sorted(each.text for each, _ in group))
        weight = sum(weight_of(runs.get(number, 0)) for number in numbers)
        found.append(Asked(text, replace(demand, texts=numbers, weight=weight)))
    return sorted(found, key=lambda each: (-each.demand.weight * each.demand.total_s, each.text.text))
