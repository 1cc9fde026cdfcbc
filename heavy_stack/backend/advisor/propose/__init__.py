"""propose: rules look at all texts together and say which tables could answer them."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ParsedWorkload, Proposals, Workload, WorkloadProfile
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.rules import ANSWER_FROM_ROLLUP
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst, flags_of
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.shared_models.verdicts import Reason

__all__ = ["propose"]

TIME_SHARE = 0.2
"""Of the time left, for analysing texts; the often run ones come first."""


MAX_TABLES = 100
"""Where the task names no limit: a design that nobody can survey is not kept up to date."""


def propose(workload: Workload, parsed: ParsedWorkload, profile: WorkloadProfile, ports: Ports) -> Proposals:
    """Candidates for the workload, and for each text without one a reason and a sentence."""
    if workload.frozen is not None:
        return Proposals(candidates=workload.frozen.candidates)
    runs = profile.runs
    ordered = sorted((text for text in parsed.texts if text.sql is not None), key=lambda text: -runs.get(text.text, 0))
    texts = {text.text: text.sql or "" for text in ordered}
    analyst = Analyst(Catalog(parsed.tables), flags_of(profile.facts))
    sizes = Sizes(profile.facts, ports.facts, ports.deadline)
    ports.progress.report(0.0, "Looking for groups that tables could hold")
    limit = min(len(workload.queries), MAX_TABLES if workload.max_tables is None else workload.max_tables)
    until = ports.deadline.left_s() * (1 - TIME_SHARE)
    proposed = ANSWER_FROM_ROLLUP.match(texts, runs, analyst, sizes, ports.progress, limit, until)
    return Proposals(
        candidates=proposed.candidates,
        unanswered=dict(proposed.unanswered),
        reasons=dict.fromkeys(proposed.unanswered, Reason.NO_GAIN),
    )
