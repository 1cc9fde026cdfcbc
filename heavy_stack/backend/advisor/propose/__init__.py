"""propose: rules look at all texts together and say which tables could answer them."""

from __future__ import annotations

from dataclasses import replace

from heavy_stack.backend.advisor.artefacts import Candidate, ParsedWorkload, Proposals, Workload, WorkloadProfile
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.rules import RULES
from heavy_stack.backend.advisor.rules.costs import CostModel
from heavy_stack.backend.advisor.rules.protocol import ProposeContext
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst, flags_of
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.shared_models.verdicts import Reason

__all__ = ["propose"]

TIME_SHARE = 0.2
"""Of the time left, for analysing texts; the often run ones come first."""
ASKING = ("conditions", "engine")
"""Levels of verification at which the client's engine may be asked to run a side condition."""
MAX_TABLES = 100
"""Where the task names no limit: a design that nobody can survey is not kept up to date."""


def propose(workload: Workload, parsed: ParsedWorkload, profile: WorkloadProfile, ports: Ports) -> Proposals:
    """Candidates of every rule, and for each text without one a reason and a sentence."""
    if workload.frozen is not None:
        return Proposals(candidates=workload.frozen.candidates)
    profile = profile.for_design()
    runs = profile.runs
    waiting = (text for text in parsed.texts if text.sql is not None and text.text in runs)
    ordered = sorted(waiting, key=lambda text: -runs[text.text])
    catalog = Catalog(parsed.tables)
    ports.progress.report(0.0, "Looking for groups that tables could hold")
    context = ProposeContext(
        texts={text.text: text.sql or "" for text in ordered},
        runs=runs,
        analyst=Analyst(catalog, flags_of(profile.facts)),
        costs=CostModel(profile.facts, catalog),
        sizes=Sizes(profile.facts, ports.facts, ports.deadline),
        facts=profile.facts,
        progress=ports.progress,
        max_tables=min(len(workload.queries), MAX_TABLES if workload.max_tables is None else workload.max_tables),
        until_left_s=ports.deadline.left_s() * (1 - TIME_SHARE),
        may_ask=profile.reachable and workload.verify in ASKING,
    )
    candidates: list[Candidate] = []
    rejected: list[tuple[str, str, str]] = []
    unanswered: dict[int, str] = {}
    answered: dict[tuple[int, int], float] = {}
    for rule in RULES:
        proposed = rule.match(replace(context, answered=dict(answered)))
        candidates += proposed.candidates
        for saving in (saving for candidate in proposed.candidates for saving in candidate.savings):
            key = saving.text, saving.block
            answered[key] = min(saving.after_s, answered.get(key, saving.after_s))
        rejected += proposed.rejected
        for text, why in proposed.unanswered.items():
            unanswered.setdefault(text, why)
    served = {text for candidate in candidates for text in candidate.serves}
    unanswered = {text: why for text, why in unanswered.items() if text not in served}
    return Proposals(
        candidates=tuple(candidates),
        unanswered=unanswered,
        reasons=dict.fromkeys(unanswered, Reason.NO_GAIN),
        text_s=_seconds_as_sent(context),
        rejected=tuple(rejected),
    )


def _seconds_as_sent(context: ProposeContext) -> dict[int, float]:
    """Each text's work as it stands, by the cost model; what cannot be analysed, or not in time, is left out."""
    found: dict[int, float] = {}
    for number, text in context.texts.items():
        if context.sizes.time_left_s() < context.until_left_s:
            break
        try:
            tree = context.analyst.analyse(text).tree
        except (NotAnswerable, SqlProblem, RecursionError):
            continue
        found[number] = context.costs.query_cost(tree)
    return found
