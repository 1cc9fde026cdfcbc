"""A design's certificates, run again: what must stay true of the data for its queries to stay equal."""

from __future__ import annotations

from collections.abc import Sequence

from heavy_stack.backend.advisor.ports import NotCheckable, Ports, QuerySession, RunFailed, RunTimeout
from heavy_stack.shared_models.reports import CertificateReport

CERTIFICATE_LIMIT_S = 60.0
"""Each is one cheap query; one that takes longer is left unknown."""


def check_certificates(certificates: Sequence[CertificateReport], ports: Ports, at: str) -> list[CertificateReport]:
    """Each certificate with what the engine says now; what it cannot be asked is unknown, never assumed.

    Args:
        certificates: As the design's report has them.
        ports: The engine on the client's tables.
        at: Now, ISO 8601.
    """
    try:
        session = ports.runner.open_lake()
    except (NotCheckable, RunFailed, RunTimeout) as problem:
        return [_found(each, "unknown", f"the tables could not be opened: {problem}", at) for each in certificates]
    if session is None:
        why = ports.note or "no engine could be asked"
        return [_found(each, "unknown", why, at) for each in certificates]
    checked: list[CertificateReport] = []
    try:
        for number, certificate in enumerate(certificates):
            ports.progress.report(number / len(certificates), f"Checking condition {number + 1} of {len(certificates)}")
            checked.append(_found(certificate, *_outcome(session, certificate.sql, ports.deadline.left_s()), at))
    finally:
        session.close()
    return checked


def _outcome(session: QuerySession, sql: str, left_s: float) -> tuple[str, str]:
    if left_s <= 0:
        return "unknown", "the time ended before it was checked"
    try:
        found = session.query(sql, limit_s=min(left_s, CERTIFICATE_LIMIT_S), max_rows=1)
    except (NotCheckable, RunFailed, RunTimeout) as problem:
        return "unknown", str(problem)
    return ("broken", "the data breaks it") if found.rows else ("holds", "no row of the data breaks it")


def _found(certificate: CertificateReport, outcome: str, detail: str, at: str) -> CertificateReport:
    return certificate.model_copy(update={"outcome": outcome, "detail": detail, "at": at})
