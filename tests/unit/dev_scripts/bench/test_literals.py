"""Next month's literals."""

from __future__ import annotations

import pytest

from dev_scripts.bench.literals.dates import DateGroup, move_dates
from dev_scripts.bench.literals.domains import Domain, from_json, to_json
from dev_scripts.bench.literals.kinds import kind_of
from dev_scripts.bench.literals.shift import REDRAWS, Census, shift
from dev_scripts.bench.literals.sites import Site, find_sites
from dev_scripts.bench.literals.values import Draw, Literal, move_values
from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog

SALES = Table(
    TableName("c", "s", "sales"),
    (
        Column("day", "date"),
        Column("sold_at", "timestamp(6)"),
        Column("shop", "varchar"),
        Column("year", "integer"),
        Column("amount", "decimal(9,2)"),
        Column("paid", "boolean"),
        Column("load_end", "timestamp(6)"),
    ),
)
CATALOG = Catalog((SALES,))
DOMAINS = {
    "sales.day": Domain("date", 700, "2023-01-01", "2024-12-31"),
    "sales.sold_at": Domain("timestamp(6)", 9000, "2023-01-01 00:00:00", "2024-12-31 23:00:00"),
    "sales.shop": Domain("varchar", 40, "a", "z", (("a", 90), ("b", 80), ("c", 70), ("d", 1))),
    "sales.year": Domain("integer", 2, 2023, 2024, ((2023, 5), (2024, 5))),
    "sales.amount": Domain("decimal(9,2)", 900, 1.0, 100.0),
    "sales.paid": Domain("boolean", 2, False, True),
    "sales.load_end": Domain("timestamp(6)", 9, "2023-01-01 00:00:00", "9999-12-31 00:00:00"),
}


def sites(sql: str) -> dict[str, Site]:
    return {site.raw: site for site in find_sites(sql, CATALOG)}


def kinds(sql: str) -> dict[str, tuple[str, bool]]:
    return {raw: (kind.name, kind.moves) for raw, site in sites(sql).items() for kind in [kind_of(site, DOMAINS)]}


def shifted(sql: str, seed: str = "1", empty: bool = False) -> str:
    census = Census({"q": sql}, CATALOG)
    return shift(census, DOMAINS, seed, lambda queryid, text: empty).texts["q"]


class TestFindSites:
    def test_follows_aliases_and_ctes_to_the_base_column(self) -> None:
        found = sites(
            "WITH w AS (SELECT day AS x FROM sales) SELECT 1 FROM (SELECT x AS y FROM w) q WHERE y > DATE '2024-01-01'"
        )
        assert found["'2024-01-01'"].columns == ("sales.day",)
        assert found["'2024-01-01'"].clause == "WHERE"

    def test_takes_the_base_of_a_sum_and_no_unit_or_ordinal(self) -> None:
        found = sites(
            "SELECT date_trunc('month', day), COUNT(*) FROM sales "
            "WHERE year IN (2023, 2023 + 1) AND day < DATE '2024-03-01' + INTERVAL '3' DAY GROUP BY 1 LIMIT 10"
        )
        assert {raw: site.operator for raw, site in found.items()} == {
            "2023": "in",
            "'2024-03-01'": "<",
            "10": "limit",
        }

    def test_turns_a_comparison_round_when_the_literal_comes_first(self) -> None:
        assert sites("SELECT 1 FROM sales WHERE 5 < amount")["5"].operator == ">"

    def test_finds_what_a_correlated_column_is(self) -> None:
        sql = "SELECT 1 FROM sales o WHERE EXISTS (SELECT 1 FROM sales i WHERE o.amount > 7 AND i.shop = o.shop)"
        assert sites(sql)["7"].columns == ("sales.amount",)

    def test_finds_the_limit_of_a_union(self) -> None:
        sql = "SELECT shop FROM sales UNION SELECT shop FROM sales LIMIT 9"
        assert sites(sql)["9"].operator == "limit"


class TestKindOf:
    @pytest.mark.parametrize(
        ("condition", "raw", "kind"),
        [
            ("day >= DATE '2024-01-01'", "'2024-01-01'", ("date", True)),
            ("load_end = TIMESTAMP '9999-12-31 00:00:00'", "'9999-12-31 00:00:00'", ("date", False)),
            ("year = 2024", "2024", ("date", True)),
            ("year(day) = 2024", "2024", ("date", True)),
            ("hour(sold_at) = 9", "9", ("calendar", False)),
            ("amount > 0", "0", ("guard", False)),
            ("amount > 12.50", "12.50", ("number", True)),
            ("shop = 'a'", "'a'", ("member", True)),
            ("shop IN ('a', 'b')", "'b'", ("member", True)),
            ("shop NOT IN ('a', 'b')", "'b'", ("guard", False)),
            ("shop LIKE 'a%'", "'a%'", ("pattern", False)),
        ],
    )
    def test_follows_the_procedure(self, condition: str, raw: str, kind: tuple[str, bool]) -> None:
        assert kinds(f"SELECT 1 FROM sales WHERE {condition}")[raw] == kind

    def test_moves_thresholds_of_aggregates_and_ranks(self) -> None:
        found = kinds("SELECT shop FROM sales GROUP BY shop HAVING COUNT(*) > 30")
        assert found["30"] == ("having", True)
        ranked = "SELECT * FROM (SELECT shop, rank() OVER (ORDER BY amount) AS r FROM sales) t WHERE r <= 5"
        assert kinds(ranked)["5"] == ("rank", True)
        assert kinds(ranked.replace("<= 5", "= 1"))["1"] == ("rank", False)


class TestMoveValues:
    @pytest.mark.parametrize(
        ("kind", "literals", "column"),
        [
            ("limit", {"10": 10}, None),
            ("limit", {"5000": 5000}, None),
            ("having", {"30": 30}, None),
            ("number", {"20": 20, "40": 40}, "sales.amount"),
            ("member", {"'a'": "a"}, "sales.shop"),
        ],
    )
    def test_draws_the_same_for_the_same_seed(
        self, kind: str, literals: dict[str, Literal], column: str | None
    ) -> None:
        domain = DOMAINS.get(column or "")
        first, again = (move_values(kind, literals, domain, Draw("1", "q")) for _ in range(2))
        assert first == again
        assert first

    def test_keeps_the_width_of_a_range_and_its_scale(self) -> None:
        moved = move_values("number", {"0.05": 0.05, "0.07": 0.07}, None, Draw("1", "q"))
        low, high = float(moved["0.05"]), float(moved["0.07"])
        assert high - low == pytest.approx(0.02)
        assert all(len(text.split(".")[1]) == 2 for text in moved.values())

    def test_stays_where_no_offset_fits_the_data(self) -> None:
        assert move_values("number", {"50": 50}, Domain("integer", 9, 50, 50), Draw("1")) == {}

    def test_takes_a_member_that_is_not_much_rarer(self) -> None:
        for seed in "123456":
            assert move_values("member", {"'a'": "a"}, DOMAINS["sales.shop"], Draw(seed)) in (
                {"'a'": "'b'"},
                {"'a'": "'c'"},
            )

    def test_moves_one_member_of_a_short_list(self) -> None:
        moved = move_values("member", {"'a'": "a", "'b'": "b"}, DOMAINS["sales.shop"], Draw("1"))
        assert len(moved) == 1


class TestMoveDates:
    def test_moves_all_dates_of_a_query_by_one_step(self) -> None:
        groups = [
            DateGroup("sales.day", {"'2024-01-31'": "2024-01-31"}, DOMAINS["sales.day"]),
            DateGroup("sales.sold_at", {"'2024-01-01 00:00:00'": "2024-01-01 00:00:00"}, DOMAINS["sales.sold_at"]),
        ]
        day, time = move_dates(groups, Draw("1", "q")) or []
        assert day["'2024-01-31'"][1:8] == time["'2024-01-01 00:00:00'"][1:8]
        assert time["'2024-01-01 00:00:00'"].endswith("-01 00:00:00'")

    def test_turns_months_round_inside_the_year(self) -> None:
        group = DateGroup("sales.month", {"11": 11, "12": 12}, None)
        for seed in "123456":
            moved = (move_dates([group], Draw(seed)) or [{}])[0]
            assert 1 <= int(moved["11"]) < int(moved["12"]) <= 12

    def test_moves_years_by_one_and_only_where_there_is_data(self) -> None:
        group = DateGroup("sales.year", {"2024": 2024}, DOMAINS["sales.year"])
        assert move_dates([group], Draw("1")) == [{"2024": "2023"}]

    def test_gives_up_when_every_step_leaves_the_data(self) -> None:
        short = Domain("date", 3, "2024-05-01", "2024-05-03")
        assert move_dates([DateGroup("sales.day", {"'2024-05-02'": "2024-05-02"}, short)], Draw("1")) is None

    def test_moves_quarters_written_as_text(self) -> None:
        group = DateGroup("d.quarter_name", {"'2001Q1'": "2001Q1"}, None)
        moved = move_dates([group], Draw("2")) or [{}]
        assert moved[0]["'2001Q1'"] in ("'2000Q3'", "'2000Q4'", "'2001Q2'", "'2001Q3'")


class TestShift:
    def test_edits_nothing_but_the_literals(self) -> None:
        sql = "select  shop -- note\n, COUNT(*) from sales WHERE day >= DATE '2024-01-01'  group by 1"
        moved = shifted(sql)
        assert moved != sql
        assert moved.replace(moved[moved.index("DATE '") :][:17], "DATE '2024-01-01'") == sql

    def test_moves_a_case_copy_with_its_filter(self) -> None:
        sql = (
            "SELECT SUM(CASE WHEN day < DATE '2024-02-01' THEN 1 END) FROM sales "
            "WHERE day >= DATE '2024-01-01' AND day < DATE '2024-03-01'"
        )
        moved = shifted(sql)
        dates = [moved[at + 1 : at + 8] for at in range(len(moved)) if moved.startswith("'20", at)]
        months = [int(text[:4]) * 12 + int(text[5:]) for text in dates]
        assert [month - months[0] for month in months] == [0, -1, 1]
        assert moved != sql

    def test_moves_half_of_the_groups_rounded_up(self) -> None:
        texts = {f"q{n}": f"SELECT shop FROM sales WHERE amount > {n + 10}" for n in range(5)}
        result = shift(Census(texts, CATALOG), DOMAINS, "1", lambda queryid, text: False)
        assert (result.groups, result.groups_moved, len(result.moved), len(result.row_moved)) == (5, 3, 3, 3)

    def test_a_limit_is_no_row_filter(self) -> None:
        result = shift(Census({"q": "SELECT shop FROM sales LIMIT 10"}, CATALOG), DOMAINS, "1", lambda q, t: False)
        assert (set(result.moved), set(result.row_moved)) == ({"q"}, set())

    def test_restores_a_query_that_loses_its_rows_whatever_is_drawn(self) -> None:
        asked: list[str] = []

        def lost(queryid: str, text: str) -> bool:
            asked.append(text)
            return True

        sql = "SELECT shop FROM sales WHERE amount > 50"
        result = shift(Census({"q": sql}, CATALOG), DOMAINS, "1", lost)
        assert result.texts["q"] == sql
        assert result.restored == ("q",)
        assert len(asked) == REDRAWS + 1

    def test_leaves_a_text_that_does_not_parse(self) -> None:
        assert shifted("SELECT FROM WHERE 5") == "SELECT FROM WHERE 5"

    def test_one_seed_always_gives_the_same(self) -> None:
        sql = "SELECT shop FROM sales WHERE amount > 50"
        assert shifted(sql, "2") == shifted(sql, "2")


class TestDomains:
    def test_survive_a_file(self) -> None:
        assert from_json(to_json(DOMAINS)) == DOMAINS
