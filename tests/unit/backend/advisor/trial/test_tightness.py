"""The client's bytes as the design's writer would write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from heavy_stack.backend.advisor.artefacts import TableFacts, TableName
from heavy_stack.backend.advisor.ports import BuiltTable, Ports
from heavy_stack.backend.advisor.trial.tightness import LARGEST, SAMPLE_ROWS, tightness
from tests.support.rule_cases import Run, run_stages

DDL = [f"CREATE TABLE lake.shop.t{number} (a bigint, b varchar)" for number in range(6)]


@dataclass
class Writer:
    """Writes rows of so many bytes."""

    row_bytes: float | None
    written: list[str] = field(default_factory=list)

    def build(self, design: Sequence[tuple[TableName, str, str]], *, limit_s: float) -> list[BuiltTable | str]:
        """A hundred rows of each, or why not."""
        self.written += [insert for _, _, insert in design]
        size = self.row_bytes
        return ["no room" if size is None else BuiltTable(name, 100, int(100 * size), 0.1) for name, _, _ in design]


@pytest.fixture(scope="module")
def run() -> Run:
    """Six tables, of 1,000, 2,000 … rows with 10 bytes each."""
    facts = {f"lake.shop.t{number}": TableFacts(1_000 * (number + 1), 10_000 * (number + 1)) for number in range(6)}
    return run_stages(DDL, ["SELECT a, COUNT(*) FROM lake.shop.t0 GROUP BY a"], facts)


def share(run: Run, writer: Writer) -> float:
    """The outcome for the six tables."""
    nothing: Any = None
    return tightness(run.parsed, run.profile, "new", Ports(writer, nothing, nothing))  # type: ignore[arg-type]


class TestTightness:
    def test_is_the_share_that_the_same_rows_take(self, run: Run) -> None:
        assert share(run, Writer(8.0)) == pytest.approx(0.8)

    def test_looser_files_of_ours_allow_no_more(self, run: Run) -> None:
        assert share(run, Writer(15.0)) == 1.0

    def test_looks_at_some_rows_of_the_largest_tables(self, run: Run) -> None:
        writer = Writer(8.0)
        share(run, writer)
        assert len(writer.written) == LARGEST
        assert all(sql.endswith(f"LIMIT {SAMPLE_ROWS}") for sql in writer.written)
        assert '"lake"."shop"."t5"' in writer.written[0]

    def test_what_cannot_be_written_says_nothing(self, run: Run) -> None:
        assert share(run, Writer(None)) == 1.0
