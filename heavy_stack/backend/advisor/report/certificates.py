"""What must stay true of the data for the rewritten queries to stay equal, and the front of designs."""

from __future__ import annotations

from collections.abc import Sequence

from heavy_stack.backend.advisor.artefacts import Plan, Workload, WorkloadProfile
from heavy_stack.backend.advisor.report.decisions import Decision
from heavy_stack.shared_models.reports import CertificateReport, Evidence, FrontPointReport


def certificates(
    workload: Workload, profile: WorkloadProfile, decisions: Sequence[Decision]
) -> list[CertificateReport]:
    """One per condition that a sent query relies on, by its SQL; with how many queryids do."""
    found: dict[str, CertificateReport] = {}
    relying: dict[str, set[str]] = {}
    for query in workload.queries:
        decision = decisions[query.text]
        for name, sql in decision.rewritten.conditions if decision.rewritten is not None else ():
            relying.setdefault(sql, set()).add(query.queryid)
            if sql not in found:
                found[sql] = _certificate(name, sql, decision, profile)
    return [item.model_copy(update={"queries": len(relying[sql])}) for sql, item in found.items()]


def _certificate(name: str, sql: str, decision: Decision, profile: WorkloadProfile) -> CertificateReport:
    evidence = _evidence(name, decision)
    if evidence is None or evidence.outcome != "holds":
        detail = evidence.detail if evidence is not None else "nobody was asked"
        return CertificateReport(name=name, sql=sql, outcome="unknown", detail=detail)
    return CertificateReport(name=name, sql=sql, outcome="holds", detail=evidence.detail, at=profile.at)


def _evidence(name: str, decision: Decision) -> Evidence | None:
    listed = decision.found.evidence if decision.found is not None else ()
    return next((item for item in listed if item.kind == "condition" and item.name == name), None)


def front(plan: Plan) -> list[FrontPointReport]:
    """The designs on the front of speed against bytes, from few bytes to many."""
    return [
        FrontPointReport(tables=point.tables, bytes=point.bytes, x=point.x, z_total=point.z_total, chosen=point.chosen)
        for point in plan.front
    ]
