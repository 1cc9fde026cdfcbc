"""The first way of every text, and the others that ask nothing more of the tables."""

from __future__ import annotations

from typing import cast

from heavy_stack.backend.advisor.artefacts import ParsedText, RewrittenText, TableName
from heavy_stack.backend.advisor.rewrite.all_ways import AllWays
from heavy_stack.backend.advisor.rewrite.chain import Chain, Way
from heavy_stack.backend.advisor.sql.literal_sites import shape_of
from heavy_stack.backend.advisor.sql.parsing import tokens_of

WIDE, RARE = (TableName("lake", "design", name) for name in ("wide", "rare"))


class Clock:
    """Time enough, until there is none."""

    left = 100.0

    def left_s(self) -> float:
        """The Deadline port."""
        return self.left


class TwoTables:
    """Rewrites every text onto a wide table first, then onto another, and notes which it was asked for."""

    def __init__(self, first: set[str], other: set[str], table: TableName = WIDE) -> None:
        self.first, self.other, self.table = frozenset(first), frozenset(other), table
        self.asked: list[int] = []

    def ways(self, text: ParsedText) -> tuple[Way, ...] | str:
        """What Chain.ways gives."""
        self.asked.append(text.text)
        if "FROM t" not in (text.sql or ""):
            return "no table"
        return tuple(
            Way(
                RewrittenText(text.text, (text.sql or "").replace("FROM t", f"FROM {table}"), (table,), ("rule",)),
                {table: columns},
            )
            for table, columns in ((WIDE, self.first), (self.table, self.other))
        )


def group(*sqls: str) -> list[ParsedText]:
    """Texts of one shape."""
    return [ParsedText(number, sql, sql, shape=shape_of(tokens_of(sql)).key) for number, sql in enumerate(sqls)]


def all_ways(chain: TwoTables, texts: list[ParsedText], clock: Clock | None = None) -> AllWays:
    """Rewritten in all ways."""
    found = AllWays(cast(Chain, chain), clock or Clock(), {})
    found.rewrite(texts)
    found.add_others([texts])
    return found


class TestAllWays:
    def test_keeps_the_other_ways_of_each_text(self) -> None:
        found = all_ways(TwoTables({"a"}, {"a", "b"}, RARE), group("SELECT a FROM t WHERE a = 5"))
        assert found.first[0].tables == (WIDE,)
        assert [way.tables for way in found.others[0]] == [(RARE,)]
        assert found.columns == {WIDE: {"a"}}

    def test_widens_no_table_for_them(self) -> None:
        found = all_ways(TwoTables({"a"}, {"a", "b"}, WIDE), group("SELECT a FROM t WHERE a = 5"))
        assert found.others == {}
        found = all_ways(TwoTables({"a", "b"}, {"a"}, WIDE), group("SELECT a FROM t WHERE a = 5"))
        assert [way.tables for way in found.others[0]] == [(WIDE,)]

    def test_rewrites_texts_of_one_shape_once(self) -> None:
        chain = TwoTables({"a"}, {"a"}, RARE)
        texts = group(*(f"SELECT a FROM t WHERE a = {number}" for number in range(11, 51, 2)))
        found = all_ways(chain, texts)
        assert len(set(chain.asked)) == len(chain.asked) == 3
        assert {text: [way.sql for way in ways] for text, ways in found.others.items()} == {
            text.text: [(text.sql or "").replace("FROM t", f"FROM {RARE}")] for text in texts
        }

    def test_says_why_there_is_none(self) -> None:
        found = all_ways(TwoTables({"a"}, {"a"}, RARE), group("SELECT a FROM u WHERE a = 5"))
        assert (found.first, found.others, found.failed) == ({}, {}, {0: "no table"})

    def test_rewrites_no_more_texts_than_the_time_allows(self) -> None:
        clock = Clock()
        found = AllWays(cast(Chain, TwoTables({"a"}, {"a"}, RARE)), clock, {})
        clock.left = 60.0
        found.rewrite(group("SELECT a FROM t WHERE a = 5"))
        assert "time" in found.failed[0]
