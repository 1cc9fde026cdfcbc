"""A text that is refused one way is verified another way, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from heavy_stack.backend.advisor.artefacts import DesignTable, RewrittenText, TableFacts, TableName, Verdicts
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.shared_models.verdicts import Reason, Verdict
from tests.unit.backend.advisor.verify.rollups import PAIRS, rewritten
from tests.unit.backend.advisor.verify.star import TABLES
from tests.unit.backend.advisor.verify.test_real_data import FROM, QUERY, REGIONS, STORES, OpenLake, on_lake, regions
from tests.unit.backend.advisor.verify.workloads import verified

__all__ = ["on_lake"]

SLOW = QUERY.replace("GROUP", f"WHERE store_id IS NULL OR store_id IN (SELECT store_id {FROM}) GROUP")
COPY = TableName("lake", "design", "copied")
WRONG = f"SELECT region, n, top + 1 AS top FROM {REGIONS}"


def onto(table: TableName, sql: str = "SELECT region, n, top FROM {}") -> RewrittenText:
    """A rewrite onto a table."""
    return RewrittenText(0, sql.format(table), (table,), ("rollup",))


def plain(sql: str) -> RewrittenText:
    """A rewrite that reads no table of the design."""
    return RewrittenText(0, sql, (), ())


def copied() -> DesignTable:
    """The stores by region under another name."""
    table = regions()
    create, insert = (text.replace(str(REGIONS), str(COPY)) for text in (table.create, table.insert))
    return replace(table, candidate="copied", name=COPY, create=create, insert=insert)


def found(ports: Ports, *ways: RewrittenText, **options: Any) -> Verdicts:
    """What becomes of the text with these ways."""
    settings: dict[str, Any] = {"level": "engine", "tables": [STORES], "reachable": True, "design": [regions()]}
    return verified(ports, [QUERY], ways[:1], others={0: ways[1:]}, **{**settings, **options})


class TestAnotherWay:
    def test_is_sent_where_the_first_does_not_pay(self, on_lake: OpenLake) -> None:
        result = found(on_lake(1_000_000), plain(SLOW), onto(REGIONS))
        text = result.texts[0]
        assert (text.verdict, text.way) == (Verdict.EQUAL_ON_DATA, 1)
        assert text.after_s is not None and text.before_s is not None and text.after_s < text.before_s
        assert len([item for item in text.evidence if item.kind == "data_set" and item.outcome == "equal"]) >= 3
        assert [measure.name for measure in result.tables] == [REGIONS]

    def test_is_sent_where_the_table_of_the_first_cannot_be_built(self, on_lake: OpenLake) -> None:
        broken = replace(copied(), insert=f"INSERT INTO {COPY} (region, n, top) SELECT region, 1, missing {FROM}")
        text = found(on_lake(1_000_000), onto(COPY), onto(REGIONS), design=[broken, regions()]).texts[0]
        assert (text.verdict, text.way) == (Verdict.EQUAL_ON_DATA, 1)

    def test_that_is_slow_or_wrong_leaves_what_was_said_of_the_first(self, on_lake: OpenLake) -> None:
        result = found(on_lake(1_000_000), plain(SLOW), plain(SLOW.replace("IS NULL", "< 0")), onto(REGIONS, WRONG))
        text = result.texts[0]
        assert (text.verdict, text.reason, text.way) == (Verdict.UNCHANGED, Reason.NO_GAIN, 0)

    def test_is_taken_after_wrong_rows_through_other_tables_only(self, on_lake: OpenLake) -> None:
        lake = on_lake(1_000_000)
        design = [regions(), copied()]
        text = found(lake, onto(REGIONS, WRONG), onto(REGIONS), design=design).texts[0]
        assert text.reason is Reason.DIFFERENT
        text = found(lake, onto(REGIONS, WRONG), onto(REGIONS), onto(COPY), design=design).texts[0]
        assert (text.verdict, text.way) == (Verdict.EQUAL_ON_DATA, 2)

    def test_is_kept_beside_the_first_where_it_does_without_a_large_table(self, on_lake: OpenLake) -> None:
        facts = {str(STORES.name): TableFacts(rows=1_000_000, bytes=2_000)}
        design = [regions(), copied()]
        result = found(on_lake(1_000_000), onto(REGIONS), onto(COPY), design=design, facts=facts)
        assert [(text.verdict, text.way) for text in result.texts] == [(Verdict.EQUAL_ON_DATA, 0)]
        assert [(text.verdict, text.way) for text in result.spare] == [(Verdict.EQUAL_ON_DATA, 1)]

    def test_is_not_looked_for_where_the_result_is_random(self, open_ports: Callable[..., Ports]) -> None:
        original = "SELECT store_id, random() AS r FROM lake.shop.stores"
        other = {0: (RewrittenText(0, original, (), ()),)}
        text = verified(open_ports(TABLES), [original], [RewrittenText(0, original, (), ())], others=other).texts[0]
        assert (text.reason, text.way) == (Reason.NONDETERMINISTIC, 0)

    def test_needs_no_engine_where_the_condition_of_the_first_fails(self, open_ports: Callable[..., Ports]) -> None:
        original, sql = PAIRS["march_by_store"]
        condition = ("unique", "SELECT store_id FROM lake.shop.sales GROUP BY store_id HAVING COUNT(*) > 1")
        first = rewritten(0, sql, conditions=(condition,))
        text = verified(open_ports(TABLES), [original], [first], others={0: (rewritten(0, sql),)}).texts[0]
        assert (text.verdict, text.way) == (Verdict.EQUAL_ON_TESTS, 1)
