"""What the design saves each day beside what keeping it fresh costs."""

from __future__ import annotations

from collections.abc import Sequence

from heavy_stack.backend.advisor.artefacts import DesignTable, Verdicts, Workload
from heavy_stack.backend.advisor.report.decisions import Decision
from heavy_stack.shared_models.reports import NetGainReport


def net_gain(
    workload: Workload, decisions: Sequence[Decision], tables: Sequence[DesignTable], verdicts: Verdicts
) -> NetGainReport | None:
    """Engine seconds saved a day at the given run quantities, and the seconds of one refresh; None where not measured.

    Args:
        workload: Run quantities and the days that they cover.
        decisions: By text index.
        tables: The tables that are sent.
        verdicts: Their build times.
    """
    built = {measure.name: measure.build_s for measure in verdicts.tables}
    times = [built.get(table.name) for table in tables]
    saved = 0.0
    measured = False
    for query in workload.queries:
        decision = decisions[query.text]
        if decision.rewritten is not None and decision.before_s is not None and decision.after_s is not None:
            saved += query.runquantity * (decision.before_s - decision.after_s)
            measured = True
    if not measured or any(seconds is None for seconds in times):
        return None
    refresh_s = sum(seconds or 0.0 for seconds in times)
    a_day = saved / workload.window_days
    often = a_day / refresh_s if refresh_s > 0 else None
    return NetGainReport(
        window_days=workload.window_days,
        saved_s_per_day=a_day,
        refresh_s=refresh_s,
        worth_refreshes_per_day=often,
        sentence=_sentence(a_day, refresh_s, often, workload.window_days),
    )


def _sentence(a_day: float, refresh_s: float, often: float | None, days: int) -> str:
    saved = f"The queries sent take {_seconds(a_day)} less a day (run quantities over {days} days)"
    if often is None:
        return f"{saved}; building the tables took no time that could be measured."
    cost = f"one refresh of all tables takes {_seconds(refresh_s)}"
    if often < 1:
        days_apart = 1 / often if often > 0 else float("inf")
        if days_apart > days:
            return f"{saved}; {cost}: at these run quantities it is not worth a refresh."
        return f"{saved}; {cost}: worth it if refreshed at most every {days_apart:.0f} days."
    return f"{saved}; {cost}: worth it if refreshed at most {often:,.0f} times a day."


def _seconds(seconds: float) -> str:
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} hours"
    if seconds >= 120:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds:.0f} seconds" if seconds >= 10 else f"{seconds:.2f} seconds"
