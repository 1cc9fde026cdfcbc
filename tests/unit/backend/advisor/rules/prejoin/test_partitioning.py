"""When a sorted table is split by months or years."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import ColumnFacts
from heavy_stack.backend.advisor.rules.prejoin.partitioning import MAX_PARTITIONS, ROWS_PER_PARTITION, partition_of

TWO_YEARS = ColumnFacts(low="2024-01-01", high="2025-12-31", nulls=0)
PLENTY = 1_000 * ROWS_PER_PARTITION


class TestPartitionOf:
    @pytest.mark.parametrize(
        ("rows", "partition"),
        [
            (24 * ROWS_PER_PARTITION, "month(day)"),
            (24 * ROWS_PER_PARTITION - 1, "year(day)"),
            (2 * ROWS_PER_PARTITION, "year(day)"),
            (2 * ROWS_PER_PARTITION - 1, None),
        ],
    )
    def test_takes_the_finest_span_whose_files_are_worth_opening(self, rows: int, partition: str | None) -> None:
        assert partition_of("day", "date", TWO_YEARS, rows) == partition

    def test_stays_well_under_the_partitions_that_an_insert_may_write(self) -> None:
        six_years = ColumnFacts(low="2019-05-01 03:00:00", high="2024-05-31", nulls=0)
        assert MAX_PARTITIONS < 12 * 5 + 1
        assert partition_of("at", "timestamp(6)", six_years, PLENTY) == "year(at)"
        a_century = ColumnFacts(low="1900-01-01", high="2100-01-01", nulls=0)
        assert partition_of("day", "date", a_century, PLENTY) is None

    def test_counts_the_partition_of_missing_dates(self) -> None:
        one_month = ColumnFacts(low="2024-01-01", high="2024-01-31", nulls=5)
        assert partition_of("day", "date", one_month, PLENTY) == "month(day)"
        assert partition_of("day", "date", ColumnFacts(low="2024-01-01", high="2024-01-31", nulls=0), PLENTY) is None

    def test_does_nothing_without_statistics_or_for_other_types(self) -> None:
        assert partition_of("day", "date", None, PLENTY) is None
        assert partition_of("day", "date", TWO_YEARS, None) is None
        assert partition_of("day", "date", ColumnFacts(nulls=0), PLENTY) is None
        assert partition_of("day", "varchar", TWO_YEARS, PLENTY) is None
        assert partition_of("day", "date", ColumnFacts(low="soon", high="later", nulls=0), PLENTY) is None
