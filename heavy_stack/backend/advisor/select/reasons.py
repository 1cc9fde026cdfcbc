"""Why a table was not chosen, in a sentence that is true of the design that was."""

from __future__ import annotations

from collections.abc import Sequence

from heavy_stack.backend.advisor.artefacts import Candidate
from heavy_stack.backend.advisor.select.model import Design, Problem


def why_rejected(table: int, design: Design, problem: Problem, candidates: Sequence[Candidate]) -> str:
    """What stands against the table, given the chosen design.

    Args:
        table: Its place among the candidates.
        design: What was chosen.
        problem: What decided.
        candidates: All that could be chosen.
    """
    demands = [problem.demands[place] for place in problem.askers[table]]
    own = problem.with_columns(table)
    with_it = design.tables | own
    rivals = sorted({rival for demand in demands for rival in (demand.tables & design.tables) - problem.columns.keys()})
    if rivals and all(demand.is_worth(demand.seconds(design.tables)) for demand in demands):
        names = ", ".join(candidates[rival].id for rival in rivals[:3])
        more = f" and {len(rivals) - 3} more" if len(rivals) > 3 else ""
        faster = any(demand.seconds(with_it) < 0.9 * demand.seconds(design.tables) for demand in demands)
        what = "would be faster, but not by enough for another table" if faster else "would be no faster"
        return f"Its query texts are answered from {names}{more}; on this table they {what}."
    limits = problem.limits
    if problem.count(with_it) > limits.tables:
        count = f"{limits.tables} table{'s' if limits.tables != 1 else ''}"
        return f"Only {count} may be built, and others save more."
    if limits.bytes is not None and problem.size(with_it) > limits.bytes:
        return f"With it the new tables could take more than the {int(limits.bytes):,} bytes allowed."
    if limits.build_s is not None and sum(problem.build_s[each] for each in with_it) > limits.build_s:
        return "With it the design would take too long to build within the task's time."
    if all(demand.seconds(with_it) >= demand.total_s for demand in demands):
        return "Alone it would save its query texts too little: most of their work is in other parts."
    share = problem.size(own) / problem.storage if problem.storage > 0 else 0.0
    return (
        f"It would save less than its storage costs: {100 * share:.1f} % more than now, for little of the total time."
    )
