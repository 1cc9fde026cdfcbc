"""`verify` from artefacts to verdicts, on real DuckDB processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from heavy_stack.backend.advisor.artefacts import RewrittenText
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.shared_models.verdicts import Reason, Verdict
from tests.unit.backend.advisor.verify.conftest import Clock
from tests.unit.backend.advisor.verify.rollups import DAILY, PAIRS, SELECT, daily, rewritten
from tests.unit.backend.advisor.verify.star import TABLES
from tests.unit.backend.advisor.verify.workloads import verdict, verified

OpenPorts = Callable[..., Ports]
SALES = "FROM lake.shop.sales"
UNIQUE_STORES = ("store_id is unique", "SELECT store_id FROM lake.shop.stores GROUP BY store_id HAVING COUNT(*) > 1")


def same(sql: str, **options: object) -> RewrittenText:
    """A rewrite that reads no table of the design."""
    return RewrittenText(0, sql, (), ("none",), **options)  # type: ignore[arg-type]


class TestRightRewrites:
    def test_are_equal_on_tests(self, open_ports: OpenPorts) -> None:
        found = verified(
            open_ports(TABLES),
            [original for original, _ in PAIRS.values()],
            [rewritten(place, sql) for place, (_, sql) in enumerate(PAIRS.values())],
        )
        assert {(text.text, text.verdict, text.detail) for text in found.texts} == {
            (place, Verdict.EQUAL_ON_TESTS, None) for place in range(len(PAIRS))
        }
        for text in found.texts:
            counted = [item for item in text.evidence if item.kind == "data_set" and item.outcome == "equal"]
            assert len(counted) >= 3
            assert all(item.rows for item in counted)
        assert "1e-9" in found.tolerance

    def test_are_equal_by_rule_where_the_rule_says_so(self, open_ports: OpenPorts) -> None:
        original, sql = PAIRS["march_by_store"]
        assert verdict(open_ports(TABLES), original, rewritten(0, sql, by_rule=True)).verdict is Verdict.EQUAL_BY_RULE


class TestWrongRewrites:
    @pytest.mark.parametrize(
        ("name", "right", "wrong"),
        [
            ("march_by_store", "2023-03-31", "2023-03-30"),
            ("march_by_store", "OR returned IS NULL", ""),
            ("average_discount", "SUM(discount_count)", "SUM(n)"),
            ("one_number", "COALESCE(SUM(n), 0)", "SUM(n)"),
            ("by_region", "LEFT JOIN", "JOIN"),
            ("best_stores", "RANK()", "DENSE_RANK()"),
            ("large_days", ">= 200", "> 200"),
        ],
    )
    def test_are_different(self, open_ports: OpenPorts, name: str, right: str, wrong: str) -> None:
        original, sql = PAIRS[name]
        assert right in sql
        found = verdict(open_ports(TABLES), original, rewritten(0, sql.replace(right, wrong)))
        assert (found.verdict, found.reason) == (Verdict.UNCHANGED, Reason.DIFFERENT)
        assert found.detail

    def test_rounding_at_another_level_is_different(self, open_ports: OpenPorts) -> None:
        def averaged(inner: str, outer: str) -> str:
            one = f"SELECT store_id, {inner} AS a {SALES} GROUP BY store_id, product_id"
            return f"WITH one AS ({one}) SELECT store_id, {outer} AS a FROM one GROUP BY store_id"

        right, wrong = averaged("AVG(discount)", "ROUND(AVG(a), 1)"), averaged("ROUND(AVG(discount), 1)", "AVG(a)")
        assert verdict(open_ports(TABLES), right, same(wrong)).reason is Reason.DIFFERENT
        assert verdict(open_ports(TABLES), right, same(right)).verdict is Verdict.EQUAL_ON_TESTS

    def test_rounding_at_another_level_is_different_beside_moments_too(self, open_ports: OpenPorts) -> None:
        def spread(inner: str, outer: str) -> str:
            one = f"SELECT store_id, status, {inner} AS a {SALES} GROUP BY store_id, status"
            return f"WITH one AS ({one}) SELECT store_id, {outer} AS a FROM one GROUP BY store_id"

        right, wrong = spread("STDDEV(discount)", "ROUND(SUM(a), 1)"), spread("ROUND(STDDEV(discount), 1)", "SUM(a)")
        assert verdict(open_ports(TABLES), right, same(wrong)).reason is Reason.DIFFERENT

    def test_by_rule_does_not_help_them(self, open_ports: OpenPorts) -> None:
        original, sql = PAIRS["march_by_store"]
        wrong = rewritten(0, sql.replace("> 10", ">= 10"), by_rule=True)
        assert verdict(open_ports(TABLES), original, wrong).reason is Reason.DIFFERENT

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ("SUM(quantity)", "COUNT(quantity)"),
            ("FROM lake.shop.sales", "FROM lake.shop.sales WHERE store_id IS NOT NULL"),
            ("FROM lake.shop.sales", "FROM lake.shop.sales WHERE quantity > 0"),
        ],
    )
    def test_a_wrong_table_is_noticed_through_its_readers(self, open_ports: OpenPorts, right: str, wrong: str) -> None:
        original, sql = PAIRS["march_by_store"]
        design = [daily(SELECT.replace(right, wrong))]
        assert verdict(open_ports(TABLES), original, rewritten(0, sql), design=design).reason is Reason.DIFFERENT

    def test_another_type_is_different(self, open_ports: OpenPorts) -> None:
        found = verdict(
            open_ports(TABLES),
            f"SELECT status, SUM(quantity) AS q {SALES} GROUP BY status",
            rewritten(0, f"SELECT status, CAST(SUM(quantity_sum) AS double) AS q FROM {DAILY} GROUP BY status"),
        )
        assert found.reason is Reason.DIFFERENT
        assert "bigint, became double" in str(found.detail)

    def test_another_name_is_different(self, open_ports: OpenPorts) -> None:
        found = verdict(
            open_ports(TABLES),
            f"SELECT status, SUM(quantity) AS q {SALES} GROUP BY status",
            rewritten(0, f"SELECT status, SUM(quantity_sum) AS Q FROM {DAILY} GROUP BY status"),
        )
        assert found.reason is Reason.DIFFERENT

    def test_another_limit_is_different_without_running_anything(self, open_ports: OpenPorts) -> None:
        original, sql = PAIRS["average_discount"]
        found = verdict(open_ports(TABLES), original, rewritten(0, sql.replace("LIMIT 5", "LIMIT 6")))
        assert found.reason is Reason.DIFFERENT
        assert found.evidence == ()

    def test_a_rewrite_that_fails_is_different(self, open_ports: OpenPorts) -> None:
        original = f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status"
        found = verdict(
            open_ports(TABLES), original, same(original.replace("COUNT(*)", "COUNT(*) / (COUNT(*) - COUNT(*))"))
        )
        assert found.reason is Reason.DIFFERENT
        assert "fails" in str(found.detail)


class TestWhatCannotBeTold:
    def test_chance_is_nondeterministic(self, open_ports: OpenPorts) -> None:
        text = f"SELECT status, random() AS r {SALES}"
        found = verdict(open_ports(TABLES), text, same(text))
        assert found.reason is Reason.NONDETERMINISTIC
        assert "random()" in str(found.detail)

    def test_ties_that_show_are_nondeterministic(self, open_ports: OpenPorts) -> None:
        def numbered(order: str) -> str:
            return f"SELECT sale_id, row_number() OVER (PARTITION BY status ORDER BY {order}) AS r {SALES}"

        found = verdict(open_ports(TABLES), numbered("status"), same(numbered("status, sale_id DESC")))
        assert found.reason is Reason.NONDETERMINISTIC
        assert "row_number" in str(found.detail)

    def test_ties_at_the_cut_are_no_reason_to_give_up(self, open_ports: OpenPorts) -> None:
        text = f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status ORDER BY n LIMIT 1"
        assert verdict(open_ports(TABLES), text, same(text)).verdict is Verdict.EQUAL_ON_TESTS

    def test_ties_at_an_inner_cut_are_broken_alike(self, open_ports: OpenPorts) -> None:
        top = f"SELECT store_id, COUNT(*) AS n {SALES} GROUP BY store_id ORDER BY n DESC LIMIT 2"
        outer = f"SELECT s.status, COUNT(*) AS n {SALES} s JOIN top ON s.store_id = top.store_id GROUP BY s.status"
        text = f"WITH top AS ({top}) {outer}"
        other = text.replace(f"COUNT(*) AS n {SALES} GROUP", f"SUM(n) AS n FROM {DAILY} GROUP")
        assert other != text
        assert verdict(open_ports(TABLES), text, rewritten(0, other)).verdict is Verdict.EQUAL_ON_TESTS

    def test_what_the_engine_cannot_run_faithfully_is_named(self, open_ports: OpenPorts) -> None:
        text = f"SELECT status, approx_distinct(price) AS n {SALES} GROUP BY status"
        found = verdict(open_ports(TABLES), text, same(text))
        assert found.reason is Reason.NOT_CHECKABLE
        assert "approx" in str(found.detail).lower()

    def test_a_threshold_too_high_to_plant_is_lowered_on_both_sides(self, open_ports: OpenPorts) -> None:
        text = f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status HAVING COUNT(*) > 1000000"
        other = f"SELECT status, SUM(n) AS n FROM {DAILY} GROUP BY status HAVING SUM(n) > 1000000"
        found = verdict(open_ports(TABLES), text, rewritten(0, other))
        assert found.verdict is Verdict.EQUAL_ON_TESTS
        assert any("lowered alike" in str(item.detail) for item in found.evidence)
        wrong = verdict(open_ports(TABLES), text, rewritten(0, other.replace("> 1", ">= 1")))
        assert wrong.reason is Reason.DIFFERENT

    def test_no_rows_prove_nothing(self, open_ports: OpenPorts) -> None:
        text = f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status HAVING COUNT(*) * 2 > COUNT(*) * 3"
        found = verdict(open_ports(TABLES), text, same(text))
        assert (found.verdict, found.reason) == (Verdict.UNCHANGED, Reason.NOT_CHECKABLE)
        assert "0 of 3" in str(found.detail)

    def test_one_group_is_not_enough(self, open_ports: OpenPorts) -> None:
        text = f"SELECT sale_id, COUNT(*) AS n {SALES} WHERE sale_id = 3 GROUP BY sale_id"
        assert verdict(open_ports(TABLES), text, same(text)).reason is Reason.NOT_CHECKABLE

    def test_an_original_that_always_fails_is_said_to(self, open_ports: OpenPorts) -> None:
        text = f"SELECT status, COUNT(*) / (COUNT(*) - COUNT(*)) AS n {SALES} GROUP BY status"
        found = verdict(open_ports(TABLES), text, same(text))
        assert found.reason is Reason.NOT_CHECKABLE
        assert "the original fails" in str(found.detail)

    def test_a_table_that_cannot_be_built_takes_only_its_readers_along(self, open_ports: OpenPorts) -> None:
        original, sql = PAIRS["march_by_store"]
        broken = daily(SELECT.replace("SUM(quantity)", "SUM(quantity) / 0"))
        found = verified(
            open_ports(TABLES),
            [original, original],
            [rewritten(0, sql), RewrittenText(1, original, (), ())],
            design=[broken],
        )
        assert [text.verdict for text in found.texts] == [Verdict.UNCHANGED, Verdict.EQUAL_ON_TESTS]
        assert found.texts[0].reason is Reason.NOT_CHECKABLE
        assert str(DAILY) in str(found.texts[0].detail)


class TestConditions:
    def test_without_an_engine_the_rule_is_not_applied(self, open_ports: OpenPorts) -> None:
        original, sql = PAIRS["march_by_store"]
        found = verdict(open_ports(TABLES), original, rewritten(0, sql, conditions=(UNIQUE_STORES,), by_rule=True))
        assert (found.verdict, found.reason) == (Verdict.UNCHANGED, Reason.NOT_CHECKABLE)
        assert UNIQUE_STORES[0] in str(found.detail)

    def test_what_the_ddl_implies_needs_no_engine(self, open_ports: OpenPorts) -> None:
        original, sql = PAIRS["march_by_store"]
        condition = ("sale_id is not null", f"SELECT sale_id {SALES} WHERE sale_id IS NULL")
        found = verdict(open_ports(TABLES), original, rewritten(0, sql, conditions=(condition,), by_rule=True))
        assert found.verdict is Verdict.EQUAL_BY_RULE
        assert [(item.kind, item.outcome) for item in found.evidence][0] == ("condition", "holds")


class TestTime:
    def test_what_is_not_reached_is_out_of_time(self, open_ports: OpenPorts, clock: Clock) -> None:
        original, sql = PAIRS["march_by_store"]
        ports = open_ports(TABLES)
        clock.left = 10.0
        found = verdict(ports, original, rewritten(0, sql), budget_s=300.0)
        assert found.reason is Reason.OUT_OF_TIME

    def test_texts_with_more_runs_come_first(self, open_ports: OpenPorts, clock: Clock) -> None:
        original, sql = PAIRS["march_by_store"]
        ports = open_ports(TABLES)
        asked: list[str] = []
        session = type(ports.runner.open_test_data(TABLES, {}, []))
        first = session.query

        def watched(self: object, text: str, **limits: object) -> object:
            asked.append(text)
            return first(self, text, **limits)  # type: ignore[arg-type]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "query", watched)
            verified(
                ports,
                [original, original.replace("> 10", "> 11")],
                [rewritten(0, sql), rewritten(1, sql.replace("> 10", "> 11"))],
                runs={0: 1, 1: 500},
            )
        assert "> 11" in asked[0]

    def test_progress_goes_from_nothing_to_done(self, open_ports: OpenPorts, clock: Clock) -> None:
        original, sql = PAIRS["march_by_store"]
        verdict(open_ports(TABLES), original, rewritten(0, sql))
        done = [share for share, _ in clock.said]
        assert done == sorted(done)
        assert (done[0], done[-1]) == (0.0, 1.0)
