"""A full report for page tests: every verdict and reason, measured and unmeasured figures, long names and texts."""

from __future__ import annotations

from heavy_stack.shared_models.reports import (
    AsOf,
    CertificateReport,
    Evidence,
    FrontPointReport,
    NetGainReport,
    QueryReport,
    RejectedReport,
    Report,
    ScoreReport,
    TableReport,
    TextReport,
)
from heavy_stack.shared_models.verdicts import Reason, Verdict

NEW_SCHEMA = "lake.shop_advised_7f3a9c21"
ORIGINAL = (
    "SELECT s.region, date_trunc('month', o.ordered_on) AS month, count(*) AS orders, sum(o.amount) AS revenue "
    "FROM lake.shop.orders o JOIN lake.shop.stores s ON o.store_id = s.store_id "
    "WHERE o.ordered_on >= DATE '2025-01-01' AND s.region <> 'it''s <b>bold</b>' -- only this year\n"
    "GROUP BY s.region, date_trunc('month', o.ordered_on) ORDER BY month, s.region"
)
REWRITTEN = (
    f"SELECT r.region, r.month, sum(r.row_count) AS orders, sum(r.amount_sum) AS revenue "
    f"FROM {NEW_SCHEMA}.orders_by_region_month r "
    "WHERE r.month >= DATE '2025-01-01' AND r.region <> 'it''s <b>bold</b>' "
    "GROUP BY r.region, r.month ORDER BY r.month, r.region"
)

REFRESH = (
    f"CREATE OR REPLACE TABLE {NEW_SCHEMA}.orders_by_region_month AS SELECT s.region, "
    "date_trunc('month', o.ordered_on) AS month, count(*) AS row_count FROM lake.shop.orders o "
    "JOIN lake.shop.stores s ON o.store_id = s.store_id GROUP BY 1, 2"
)


def full_report(queries: int = 14) -> Report:
    """A report on `queries` queries that repeat the texts of `_texts` in turn."""
    texts = _texts()
    listed = [
        QueryReport(
            queryid=f"{'monthly-revenue' if n % 3 else 'top_customers'}-{n:05}",
            runquantity=1 + n * 7 % 5000,
            text=n % len(texts),
        )
        for n in range(queries)
    ]
    return Report(
        headline=f"{queries:,} queries: 4 of 13 texts answered from 2 new tables, 12.4 times faster in total.",
        as_of=AsOf(
            kind="snapshot",
            snapshot="2026-11-20",
            at="2026-11-20T23:30:00+00:00",
            sentence="Equal as of snapshot 8261 of the Parquet files; stale after the next write.",
        ),
        engine="DuckDB 1.5.0",
        engine_reachable=True,
        verify="engine",
        schema_name=NEW_SCHEMA,
        texts=texts,
        queries=listed,
        tables=_tables(),
        rejected=[
            RejectedReport(candidate="orders_by_customer_day", rule="rollup", why="It holds 61 % of the fact's rows."),
            RejectedReport(
                candidate="orders_by_everything_that_anyone_ever_asked_for",
                rule="rollup",
                why="No query needs it beside orders_by_region_month.",
            ),
        ],
        certificates=[
            CertificateReport(
                name="stores has one row per store_id",
                sql="SELECT store_id FROM lake.shop.stores WHERE store_id IS NOT NULL GROUP BY store_id "
                "HAVING COUNT(*) > 1",
                outcome="holds",
                detail="no row of the data breaks it",
                at="2026-11-20T23:30:00+00:00",
                queries=5,
            ),
            CertificateReport(
                name="every store_id of orders_with_a_very_long_name_that_goes_on is in stores",
                sql="SELECT 1 FROM lake.shop.orders o WHERE NOT EXISTS (SELECT 1 FROM lake.shop.stores s "
                "WHERE s.store_id = o.store_id)",
                outcome="holds",
                detail="implied by the DDL",
                queries=2,
            ),
        ],
        front=[
            FrontPointReport(tables=1, bytes=84_000, x=3.1, z_total=3.1),
            FrontPointReport(tables=2, bytes=10_840_000, x=38.2, z_total=38.1, chosen=True),
            FrontPointReport(tables=7, bytes=402_000_000, x=41.0, z_total=37.4),
        ],
        score=ScoreReport(
            x=38.2,
            sum_ratio=12.4,
            y_total=0.991,
            y_new=118.4,
            z_total=38.1,
            z_new=187.6,
            x_equal_weights=21.7,
            sum_ratio_equal_weights=8.31,
            z_total_equal_weights=21.6,
            z_new_equal_weights=106.6,
        ),
        net_gain=NetGainReport(
            window_days=30,
            saved_s_per_day=5_320.0,
            refresh_s=16.3,
            worth_refreshes_per_day=326.4,
            sentence="The queries sent take 89 minutes less a day (run quantities over 30 days); one refresh of all "
            "tables takes 16 seconds: worth it if refreshed at most 326 times a day.",
        ),
        storage_before_bytes=1_284_000_000,
        storage_new_bytes=10_840_000,
        refresh=[REFRESH],
        maintenance=[f"ANALYZE {NEW_SCHEMA}.orders_by_region_month"],
        rollback=[f"DROP TABLE {NEW_SCHEMA}.orders_by_region_month", f"DROP SCHEMA {NEW_SCHEMA}"],
        tolerance="Floating-point results may differ by one part in 1e12; everything else is exact.",
        warnings=["Table lake.shop.orders holds every row twice: its sums are what they are."],
        stage_seconds={
            "ingest": 0.03,
            "parse": 0.4,
            "profile": 2.1,
            "propose": 0.2,
            "select": 0.1,
            "rewrite": 0.5,
            "verify": 41.2,
            "report": 0.1,
        },
    )


def unmeasured_report() -> Report:
    """A report without an engine: nothing was measured."""
    report = full_report()
    texts = [text.model_copy(update=dict.fromkeys(("before_s", "after_s", "ratio"))) for text in report.texts]
    tables = [
        t.model_copy(update=dict.fromkeys(("rows", "bytes", "build_s", "share_of_source"))) for t in report.tables
    ]
    return report.model_copy(
        update={
            "as_of": AsOf(kind="no_engine", sentence="Made from DDL and queries alone; no data was read."),
            "engine": None,
            "engine_reachable": False,
            "engine_note": "trino.example.invalid:8080 is not in HEAVY_TRINO_ALLOW, so it was not contacted.",
            "texts": texts,
            "tables": tables,
            "score": ScoreReport(),
            "net_gain": None,
            "storage_before_bytes": None,
            "storage_new_bytes": None,
            "warnings": [],
        }
    )


def empty_report() -> Report:
    """A report that changes nothing."""
    text = TextReport(
        verdict=Verdict.UNCHANGED, reason=Reason.NO_GAIN, original="SELECT 1", detail="It reads no table."
    )
    return unmeasured_report().model_copy(
        update={
            "headline": "1 query: nothing would make it faster.",
            "texts": [text],
            "queries": [QueryReport(queryid="only", runquantity=1, text=0)],
            "tables": [],
            "rejected": [],
            "certificates": [],
            "front": [],
            "refresh": [],
            "maintenance": [],
            "rollback": [],
            "schema_name": None,
        }
    )


def _texts() -> list[TextReport]:
    evidence = [
        Evidence(kind="condition", name="store_id is unique in stores", outcome="holds", seconds=0.041),
        Evidence(kind="data_set", name="nulls and ties", outcome="equal", rows=24, groups=12, seconds=0.18),
        Evidence(kind="data_set", name="orphans", outcome="equal", rows=9, groups=3, seconds=0.16),
        Evidence(kind="data_set", name="extremes", outcome="equal", rows=31, groups=8, seconds=0.2),
        Evidence(kind="real_data", name="all rows", outcome="equal", rows=96, groups=96, seconds=2.31),
    ]
    table = f"{NEW_SCHEMA}.orders_by_region_month"
    rewritten = [
        TextReport(
            verdict=verdict,
            rules=["rollup"],
            tables=[table],
            evidence=evidence[: 5 - number],
            before_s=2.31 - number / 2,
            after_s=0.011 * (number + 1),
            before_plain_s=1.9,
            after_plain_s=0.01,
            ratio=(2.31 - number / 2) / (0.011 * (number + 1)),
            original=ORIGINAL.replace("2025", str(2025 - number)),
            rewritten=REWRITTEN.replace("2025", str(2025 - number)),
        )
        for number, verdict in enumerate((Verdict.EQUAL_ON_DATA, Verdict.EQUAL_BY_RULE, Verdict.EQUAL_ON_TESTS))
    ]
    unchanged = [
        TextReport(
            verdict=Verdict.UNCHANGED,
            reason=reason,
            detail=f"This is what was found out about it ({reason.value.lower()}).",
            line=3 if reason in (Reason.UNPARSABLE, Reason.UNKNOWN_TABLE) else None,
            column=17 if reason in (Reason.UNPARSABLE, Reason.UNKNOWN_TABLE) else None,
            before_s=None if reason in (Reason.UNPARSABLE, Reason.TOO_LARGE) else 0.84,
            after_s=None if reason in (Reason.UNPARSABLE, Reason.TOO_LARGE) else 0.84,
            ratio=None if reason in (Reason.UNPARSABLE, Reason.TOO_LARGE) else 1.0,
            original="SELEC oops FROM 'über' (("
            if reason is Reason.UNPARSABLE
            else f"SELECT * FROM lake.shop.orders -- {reason}",
        )
        for reason in Reason
    ]
    plain = TextReport(
        verdict=Verdict.EQUAL_ON_DATA,
        tables=[table],
        rules=["rollup"],
        before_s=140.2,
        after_s=0.004,
        ratio=35050.0,
        original="SELECT count(*) FROM lake.shop.orders",
        rewritten=f"SELECT sum(row_count) FROM {table}",
    )
    return [*rewritten, *unchanged, plain]


def _tables() -> list[TableReport]:
    return [
        TableReport(
            name=f"{NEW_SCHEMA}.orders_by_region_month",
            rule="rollup",
            why="Five queries group orders by region and month; it holds 0.02 % of the fact's rows.",
            dimensions=["region", "month"],
            measures=["row_count", "amount_sum", "amount_count"],
            source_tables=["lake.shop.orders", "lake.shop.stores"],
            serves_queries=5,
            serves_runs=12_204,
            rows=2_160,
            bytes=84_120,
            build_s=3.41,
            share_of_source=0.000216,
            refresh=f"CREATE OR REPLACE TABLE {NEW_SCHEMA}.orders_by_region_month AS SELECT 1",
        ),
        TableReport(
            name=f"{NEW_SCHEMA}.orders_by_customer_segment_and_product_category_month",
            rule="rollup",
            why="Three queries share the join of orders, customers and products.",
            dimensions=["segment", "category", "month"],
            measures=["row_count", "amount_sum"],
            source_tables=["lake.shop.orders", "lake.shop.customers", "lake.shop.products"],
            serves_queries=3,
            serves_runs=801,
            rows=184_200,
            bytes=10_755_880,
            build_s=12.9,
            share_of_source=0.018,
        ),
    ]
