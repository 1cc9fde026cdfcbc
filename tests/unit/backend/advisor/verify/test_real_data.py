"""`verify` where an engine is reachable: the design is built, compared and measured on a small lake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heavy_stack.backend.advisor.artefacts import (
    DesignTable,
    RewrittenText,
    StoredColumn,
    TableFacts,
    TableName,
    TextVerdict,
    Verdicts,
)
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.shared_models.verdicts import Reason, Verdict
from tests.unit.backend.advisor.verify.star import TABLES
from tests.unit.backend.advisor.verify.workloads import verified

STORES = TABLES[3]
FROM = f"FROM {STORES.name}"
REGIONS = TableName("lake", "design", "regions")
KINDS = (("region", "varchar"), ("n", "bigint"), ("top", "integer"))
QUERY = f"SELECT region, COUNT(*) AS n, MAX(store_id) AS top {FROM} GROUP BY region"
REWRITE = f"SELECT region, n, top FROM {REGIONS}"
UNIQUE_STORES = ("store_id is unique", f"SELECT store_id {FROM} GROUP BY store_id HAVING COUNT(*) > 1")
UNIQUE_REGIONS = ("region is unique", f"SELECT region {FROM} GROUP BY region HAVING COUNT(*) > 1")

OpenLake = Callable[[int], Ports]


def regions(select: str = QUERY) -> DesignTable:
    """The stores by region."""
    return DesignTable(
        candidate="regions",
        name=REGIONS,
        rule="rollup",
        why="",
        columns=tuple(StoredColumn(name, name, kind, "measure") for name, kind in KINDS),
        source_tables=(STORES.name,),
        create=f"CREATE TABLE {REGIONS} ({', '.join(f'{name} {kind}' for name, kind in KINDS)})",
        insert=f"INSERT INTO {REGIONS} ({', '.join(name for name, _ in KINDS)}) {select}",
        refresh="",
    )


def rewrite(**options: Any) -> RewrittenText:
    """The right rewrite onto it."""
    return RewrittenText(0, REWRITE, (REGIONS,), ("rollup",), **options)


def unchanged(sql: str) -> RewrittenText:
    """A rewrite that reads no table of the design."""
    return RewrittenText(0, sql, (), ())


def found(ports: Ports, query: str, other: RewrittenText, **options: Any) -> Verdicts:
    """All that `verify` says."""
    settings: dict[str, Any] = {"level": "engine", "tables": [STORES], "reachable": True, "design": [regions()]}
    return verified(ports, [query], [other], **{**settings, **options})


def verdict(ports: Ports, query: str, other: RewrittenText, **options: Any) -> TextVerdict:
    """What `verify` says about the one text."""
    return found(ports, query, other, **options).texts[0]


@pytest.fixture
def on_lake(open_ports: Callable[..., Ports], make_lake: Callable[[str, str], Path]) -> OpenLake:
    """Ports on a lake with so many stores."""

    def opened(count: int) -> Ports:
        region = "CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 'n' WHEN 2 THEN 's' ELSE '' END"
        city = "'c' || CAST(hash(i) AS varchar) || CAST(hash(i + 1) AS varchar)"
        select = f"SELECT CAST(i AS integer) AS store_id, {city} AS city, {region} AS region FROM range({count}) t(i)"
        return open_ports([STORES], make_lake("shop/stores", select))

    return opened


class TestComparing:
    def test_equal_and_faster_is_sent_with_its_times(self, on_lake: OpenLake) -> None:
        result = found(on_lake(2_000_000), QUERY, rewrite())
        text = result.texts[0]
        assert text.verdict is Verdict.EQUAL_ON_DATA, text
        assert text.before_s is not None
        assert text.after_s is not None
        assert text.after_s < 0.7 * text.before_s
        assert text.before_plain_s is not None
        assert [measure.rows for measure in result.tables] == [4]

    def test_equal_but_not_faster_stays_as_it_was(self, on_lake: OpenLake) -> None:
        slower = QUERY.replace("GROUP", f"WHERE store_id IS NULL OR store_id IN (SELECT store_id {FROM}) GROUP")
        text = verdict(on_lake(400_000), QUERY, unchanged(slower))
        assert (text.verdict, text.reason) == (Verdict.UNCHANGED, Reason.NO_GAIN)
        assert text.before_s is not None
        assert text.after_s is not None

    def test_different_on_the_data_alone_is_never_sent(self, on_lake: OpenLake) -> None:
        # Three conditions that only rows of the lake meet together.
        query = f"SELECT store_id, city {FROM}"
        hidden = "store_id % 7 = 3 AND city LIKE 'c1%' AND length(city) > 30"
        text = verdict(on_lake(2_000), query, unchanged(f"{query} WHERE NOT COALESCE({hidden}, false)"))
        assert text.reason is Reason.DIFFERENT
        assert "on the data" in str(text.detail)

    def test_a_query_that_fails_on_the_data_is_said_to(self, on_lake: OpenLake) -> None:
        query = f"SELECT region, SUM(100 / (store_id - 13)) AS n {FROM} GROUP BY region"
        text = verdict(on_lake(20), query, unchanged(query))
        assert text.reason is Reason.NOT_CHECKABLE
        assert "fails as it was sent" in str(text.detail)

    def test_a_large_exact_result_is_compared_by_the_engine(self, on_lake: OpenLake) -> None:
        query = f"SELECT store_id, city {FROM}"
        text = verdict(on_lake(60_000), query, unchanged(f"{query} WHERE store_id IS NULL OR store_id >= store_id"))
        assert text.reason is not Reason.DIFFERENT
        assert any(item.kind == "real_data" and item.outcome == "equal" for item in text.evidence)

    def test_a_table_that_cannot_be_built_on_the_data_costs_its_readers_the_rewrite(self, on_lake: OpenLake) -> None:
        select = QUERY.replace("MAX(store_id)", "CAST(MAX(store_id / (store_id - 13)) AS integer)")
        text = verdict(on_lake(20), QUERY, rewrite(), design=[regions(select)])
        assert text.verdict is Verdict.UNCHANGED

    def test_without_an_engine_nothing_is_measured(self, open_ports: Callable[..., Ports]) -> None:
        result = found(open_ports([STORES]), QUERY, rewrite(), reachable=False)
        assert result.texts[0].verdict is Verdict.EQUAL_ON_TESTS
        assert result.texts[0].before_s is None
        assert result.tables == ()


class TestConditions:
    def test_are_asked_of_the_data(self, on_lake: OpenLake) -> None:
        text = verdict(on_lake(20), QUERY, rewrite(conditions=(UNIQUE_REGIONS,)))
        assert text.reason is Reason.NOT_CHECKABLE
        assert "the data breaks it" in str(text.detail)

    def test_let_the_rewrite_pass_where_they_hold(self, on_lake: OpenLake) -> None:
        other = rewrite(conditions=(UNIQUE_STORES,), by_rule=True)
        result = found(on_lake(20), QUERY, other, level="conditions")
        assert result.texts[0].verdict is Verdict.EQUAL_BY_RULE
        assert result.tables == ()

    def test_are_kept_by_the_data_sets_that_count(self, on_lake: OpenLake) -> None:
        text = verdict(on_lake(20), QUERY, rewrite(conditions=(UNIQUE_STORES,)), level="conditions")
        assert text.verdict is Verdict.EQUAL_ON_TESTS
        assert sum(item.kind == "data_set" and item.outcome == "equal" for item in text.evidence) >= 3

    @pytest.mark.parametrize("level", ["none", "explain"])
    def test_are_not_asked_at_lower_levels(self, on_lake: OpenLake, level: str) -> None:
        text = verdict(on_lake(20), QUERY, rewrite(conditions=(UNIQUE_STORES,)), level=level)
        assert text.reason is Reason.NOT_CHECKABLE


class TestStorage:
    def test_before_is_the_bytes_of_all_tables(self, open_ports: Callable[..., Ports]) -> None:
        facts = {str(STORES.name): TableFacts(rows=1, bytes=77)}
        result = found(open_ports([STORES]), QUERY, rewrite(), reachable=False, facts=facts)
        assert result.storage_before_bytes == 77

    def test_is_not_known_where_a_table_is_not(self, open_ports: Callable[..., Ports]) -> None:
        assert found(open_ports([STORES]), QUERY, rewrite(), reachable=False).storage_before_bytes is None
