"""select: which of the proposed tables are built; what is not chosen says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from heavy_stack.backend.advisor.artefacts import (
    Candidate,
    ParsedWorkload,
    Plan,
    Proposals,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.select.choosing import Choice, choose
from heavy_stack.backend.advisor.select.model import Problem
from heavy_stack.backend.advisor.select.problem import limits_of, problem_of, storage_of, why_impossible
from heavy_stack.backend.advisor.select.reasons import why_rejected
from heavy_stack.shared_models.verdicts import Reason

__all__ = ["Weighed", "plan_of", "select", "weigh"]


@dataclass(frozen=True)
class Weighed:
    """The proposals as numbers.

    Attributes:
        proposals: All of them.
        impossible: Why a table cannot be chosen whatever else is, by candidate.
        possible: The others; the problem knows a table by its place here.
        problem: What decides, by estimates.
        storage: The client's bytes; None where unknown.
    """

    proposals: Proposals
    impossible: Mapping[str, str]
    possible: tuple[Candidate, ...]
    problem: Problem
    storage: int | None


def select(
    workload: Workload, parsed: ParsedWorkload, profile: WorkloadProfile, proposals: Proposals, ports: Ports
) -> Plan:
    """Choose the tables that together are worth most within the task's limits; see `select/model.py` for worth."""
    if workload.frozen is not None:
        return Plan(workload.frozen.candidates)
    ports.progress.report(0.0, "Weighing the proposed tables")
    weighed = weigh(workload, parsed, profile, proposals)
    plan = plan_of(weighed, choose(weighed.problem))
    ports.progress.report(1.0, f"Chose {len(plan.chosen)} tables")
    return plan


def weigh(workload: Workload, parsed: ParsedWorkload, profile: WorkloadProfile, proposals: Proposals) -> Weighed:
    """What each proposed table costs and saves, by estimates."""
    profile = profile.for_design()
    storage = storage_of(parsed, profile)
    limits = limits_of(workload, storage)
    impossible = {each.id: why for each in proposals.candidates if (why := why_impossible(each, workload, limits))}
    possible = tuple(each for each in proposals.candidates if each.id not in impossible)
    return Weighed(proposals, impossible, possible, problem_of(possible, proposals, profile, storage, limits), storage)


def plan_of(
    weighed: Weighed, choice: Choice, measured: Problem | None = None, failed: Mapping[int, str] | None = None
) -> Plan:
    """The choice with its reasons.

    Args:
        weighed: What was chosen from.
        choice: The tables, by their places.
        measured: What decided, where tables were tried out before.
        failed: Why a table could not be built then, by place.
    """
    proposals, possible, taken = weighed.proposals, weighed.possible, choice.design.tables
    whys = dict(weighed.impossible)
    tables = [place for place in taken if place < len(possible)]
    by_estimates = replace(choice.design, tables=frozenset(tables))
    for place, each in enumerate(possible):
        if place not in taken:
            tried = measured is not None and bool(measured.askers[place])
            problem, design = (measured, choice.design) if measured and tried else (weighed.problem, by_estimates)
            whys[each.id] = (failed or {}).get(place) or why_rejected(place, design, problem, possible)
    # What costs least is built first, so that a build that ends early leaves most texts answered.
    build_s = (measured or weighed.problem).build_s
    chosen = tuple(possible[place] for place in sorted(tables, key=lambda each: (build_s[each], each)))
    unanswered, reasons = _left_out(proposals, {each.id for each in chosen}, whys)
    return Plan(
        chosen=chosen,
        rejected=proposals.rejected
        + tuple((each.id, each.rule, whys[each.id]) for each in proposals.candidates if each.id in whys),
        unanswered=unanswered,
        reasons=reasons,
        front=choice.front if weighed.storage is not None else (),
    )


def _left_out(proposals: Proposals, chosen: set[str], whys: dict[str, str]) -> tuple[dict[int, str], dict[int, Reason]]:
    """For each text without a chosen table, the reason of the table that would have saved it most."""
    unanswered, reasons = dict(proposals.unanswered), dict(proposals.reasons)
    served = {text for candidate in proposals.candidates if candidate.id in chosen for text in candidate.serves}
    most: dict[int, float] = {}
    for candidate in proposals.candidates:
        saved: dict[int, float] = dict.fromkeys(candidate.serves, 0.0)
        for saving in candidate.savings:
            saved[saving.text] = saved.get(saving.text, 0.0) + saving.before_s - saving.after_s
        for text, seconds in saved.items():
            if text in served or text in proposals.unanswered or seconds <= most.get(text, -1.0):
                continue
            most[text] = seconds
            unanswered[text] = whys[candidate.id]
            reasons[text] = Reason.NO_GAIN
    return unanswered, reasons
