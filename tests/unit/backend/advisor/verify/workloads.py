"""The artefacts that `verify` gets, from pairs of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heavy_stack.backend.advisor.artefacts import (
    DesignTable,
    ParsedText,
    ParsedWorkload,
    Plan,
    Rewrite,
    RewrittenText,
    Table,
    TableFacts,
    TextVerdict,
    Verdicts,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.verify import verify
from heavy_stack.shared_models.workloads import EngineKind
from tests.unit.backend.advisor.verify.rollups import daily
from tests.unit.backend.advisor.verify.star import TABLES


def verified(
    ports: Ports,
    originals: Sequence[str],
    rewrites: Sequence[RewrittenText],
    *,
    level: str = "conditions",
    design: Sequence[DesignTable] | None = None,
    tables: Sequence[Table] = TABLES,
    reachable: bool = False,
    runs: dict[int, int] | None = None,
    budget_s: float = 300.0,
    facts: dict[str, TableFacts] | None = None,
    others: Mapping[int, tuple[RewrittenText, ...]] | None = None,
) -> Verdicts:
    """What `verify` says about these rewrites."""
    workload = Workload("task-1", EngineKind.DUCKDB, "", (), tuple(originals), (), level, budget_s)
    texts = tuple(ParsedText(place, text, text) for place, text in enumerate(originals))
    profile = WorkloadProfile("duckdb", reachable, None, None, None, facts or {}, runs or {})
    tables_built = tuple(design or (daily(),))
    rewrite = Rewrite("design", "CREATE SCHEMA lake.design", tables_built, tuple(rewrites), others=dict(others or {}))
    return verify(workload, ParsedWorkload(tuple(tables), texts, "lake"), profile, Plan(()), rewrite, ports)


def verdict(ports: Ports, original: str, rewrite: RewrittenText, **options: object) -> TextVerdict:
    """What `verify` says about one rewrite."""
    return verified(ports, [original], [rewrite], **options).texts[0]  # type: ignore[arg-type]
