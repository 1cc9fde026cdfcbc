"""At which grain a filter or key asks for a date."""

from __future__ import annotations

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.rules.rollup.date_grains import use_of_date
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified

TABLE = Table(
    TableName("lake", "log", "events"),
    (Column("d", "date"), Column("ts", "timestamp(6)"), Column("millis", "timestamp(3)")),
)


def grain(text: str, *, designing: bool = False) -> str | None:
    tree = qualified(f"SELECT {text} AS x FROM lake.log.events", Catalog([TABLE]))
    item = tree.selects[0]
    assert isinstance(item, exp.Alias)
    use = use_of_date(item.this, {"events"}, designing=designing)
    return None if use is None else use[1]


class TestUseOfDate:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("d >= DATE '2024-03-01'", "month"),
            ("d < DATE '2024-03-01'", "month"),
            ("DATE '2024-03-01' <= d", "month"),
            ("d >= DATE '2024-03-02'", "day"),
            ("d <= DATE '2024-03-31'", "month"),
            ("d <= DATE '2024-03-30'", "day"),
            ("d > DATE '2024-01-31'", "month"),
            ("d = DATE '2024-03-01'", "day"),
            ("d BETWEEN DATE '2024-01-01' AND DATE '2024-12-31'", "month"),
            ("d >= CURRENT_DATE - INTERVAL '30' DAY", "day"),
            ("d >= date_trunc('month', CURRENT_DATE) - INTERVAL '1' MONTH", "month"),
            ("ts >= TIMESTAMP '2024-03-01 00:00:00'", "month"),
            ("ts >= TIMESTAMP '2024-03-01 07:00:00'", "hour"),
            ("ts >= TIMESTAMP '2024-03-01 07:30:00'", "minute"),
            ("ts >= TIMESTAMP '2024-03-01 07:30:30'", "raw"),
            ("date_trunc('minute', ts)", "minute"),
            ("ts <= TIMESTAMP '2024-03-31 00:00:00'", "raw"),
            ("ts <= TIMESTAMP '2024-03-31 23:59:59.999999'", "month"),
            ("ts BETWEEN TIMESTAMP '2024-03-01 00:00:00' AND TIMESTAMP '2024-03-30 23:59:59.999999'", "day"),
            ("ts > TIMESTAMP '2024-03-31 23:59:59.999999'", "month"),
            ("ts <= TIMESTAMP '2024-03-31 23:59:59.999'", "raw"),
            ("ts >= TIMESTAMP '2024-03-01 00:00:00.0000001'", "raw"),
            ("CAST(ts AS date) <= DATE '2024-03-31'", "month"),
            ("CAST(ts AS date) = DATE '2024-03-31'", "day"),
            ("year(d)", "month"),
            ("quarter(ts)", "month"),
            ("day_of_week(d)", "day"),
            ("date_trunc('quarter', ts)", "month"),
            ("date_trunc('week', ts)", "day"),
            ("EXTRACT(HOUR FROM ts)", "hour"),
            ("date_format(d, '%Y-%m')", "month"),
            ("date_format(d, '%d.%m.')", "day"),
        ],
    )
    def test_finds_the_coarsest_grain_that_gives_the_same_value(self, text: str, expected: str) -> None:
        assert grain(text) == expected

    def test_takes_the_end_of_a_short_month_for_a_day_when_designing(self) -> None:
        assert grain("d <= DATE '2024-06-30'") == "month"
        assert grain("d <= DATE '2024-06-30'", designing=True) == "day"
        assert grain("d <= DATE '2024-07-31'", designing=True) == "month"

    def test_asks_no_grain_where_a_format_rounds(self) -> None:
        assert grain("date_format(ts, '%Y-%m')") is None

    def test_does_not_know_other_uses(self) -> None:
        assert grain("d + INTERVAL '1' DAY") is None
        assert grain("d = CAST(ts AS date)") is None
