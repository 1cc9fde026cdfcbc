"""ingest: the stored request becomes a `Workload`; equal texts are kept once. Nothing is parsed here.

The request is what the task's intake stored: validated, without credentials.
"""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import QueryEntry, Workload
from heavy_stack.shared_models.workloads import EngineKind, NewTask

DEFAULT_WINDOW_DAYS = 30
"""A month's log, where the task does not say how many days its run counts stand for."""

_SCHEMES = {"jdbc:trino:": EngineKind.TRINO, "jdbc:duckdb:": EngineKind.DUCKDB}


def ingest(task_id: str, request: bytes, *, budget_s: float) -> Workload:
    """Read the stored request.

    Args:
        task_id: The task's id; seeds names and test data.
        request: Canonical JSON of a `NewTask`, without credentials.
        budget_s: Seconds that the service grants; the task's own option can only lower it.

    Raises:
        pydantic.ValidationError: The request is not one that the intake stored.
    """
    task = NewTask.model_validate_json(request)
    texts: dict[str, int] = {}
    queries = tuple(
        QueryEntry(
            queryid=query.queryid,
            text=texts.setdefault(query.query, len(texts)),
            runquantity=query.runquantity,
            executiontime=query.executiontime,
        )
        for query in task.queries
    )
    engine = engine_kind(task.url)
    options = task.options
    return Workload(
        task_id=task_id,
        engine=engine,
        url=task.url,
        ddl=tuple(statement.statement for statement in task.ddl),
        texts=tuple(texts),
        queries=queries,
        # A design for DuckDB is built in the service's own folder, so nobody has to be asked.
        verify=options.verify or ("engine" if engine is EngineKind.DUCKDB else "conditions"),
        budget_s=min(budget_s, options.budget_s) if options.budget_s is not None else budget_s,
        design=options.design,
        max_tables=options.max_tables,
        max_storage_bytes=options.max_storage_bytes,
        window_days=options.window_days or DEFAULT_WINDOW_DAYS,
    )


def engine_kind(url: str) -> EngineKind:
    """Which engine a url names; any case of the scheme is accepted, as JDBC drivers do."""
    lowered = url.strip().lower()
    return next((kind for scheme, kind in _SCHEMES.items() if lowered.startswith(scheme)), EngineKind.UNKNOWN)
