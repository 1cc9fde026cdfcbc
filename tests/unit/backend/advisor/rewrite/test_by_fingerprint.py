"""Texts of one shape are rewritten as each would be by itself."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from heavy_stack.backend.advisor.artefacts import ParsedText, RewrittenText, TableName
from heavy_stack.backend.advisor.ingest import ingest
from heavy_stack.backend.advisor.parse import parse
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.profile import profile
from heavy_stack.backend.advisor.propose import propose
from heavy_stack.backend.advisor.rewrite import rewrite
from heavy_stack.backend.advisor.rewrite.by_fingerprint import Outcome, by_shape, rewrite_alike
from heavy_stack.backend.advisor.select import select
from heavy_stack.backend.advisor.sql.literal_sites import shape_of
from heavy_stack.backend.advisor.sql.parsing import tokens_of

TABLE = TableName("lake", "design", "small")
EVENTS = (
    "CREATE TABLE lake.web.events (id bigint, at timestamp(6), day date, kind varchar, country varchar, gone boolean,"
    " price decimal(10, 2), seconds integer)"
)
DASHBOARDS = [
    "SELECT kind, COUNT(*) AS n FROM lake.web.events WHERE day >= DATE '{month}' AND day < DATE '{month}' GROUP BY 1",
    "SELECT country, SUM(price) AS p FROM lake.web.events WHERE at >= TIMESTAMP '{date} 00:00:00' AND kind = '{word}'"
    " GROUP BY 1 HAVING SUM(price) > {number}.50 ORDER BY p DESC LIMIT {number}",
    "SELECT day, COUNT(*) AS n FROM lake.web.events WHERE country IN ('{word}', '{word}') AND seconds >= {number}"
    " AND NOT gone GROUP BY day -- {word}\n",
    "SELECT kind, AVG(seconds) AS s FROM lake.web.events WHERE day BETWEEN DATE '{date}' AND DATE '{date}' AND"
    " kind IN ({words}) GROUP BY kind",
    "SELECT SUM(CASE WHEN kind = '{word}' THEN price END) AS p, COUNT(*) AS n FROM lake.web.events WHERE day < "
    "DATE '{month}' AND seconds BETWEEN -{number} AND {number}",
    "SELECT DATE_TRUNC('month', at) AS m, COUNT(*) AS n FROM lake.web.events WHERE kind LIKE '{word}%' GROUP BY 1",
]
WORDS = ["view", "click", "it''s", "Zürich", "100%", "a\\b", "北京", "buy", "x y", "--", "DE", "FR"]


class Still:
    def report(self, done: float, activity: str) -> None:
        """Progress that nobody watches."""

    def left_s(self) -> float:
        """Time enough."""
        return 600.0


def dashboards(count: int) -> list[str]:
    draw = random.Random(7)
    found: dict[str, None] = {}
    while len(found) < count:
        parts = draw.choice(DASHBOARDS).split("{")
        text = parts[0]
        for part in parts[1:]:
            name, _, rest = part.partition("}")
            month, day = draw.randint(1, 12), draw.choice([1, 15, 28])
            text += {
                "month": f"2024-{month:02d}-01",
                "date": f"2024-{month:02d}-{day:02d}",
                "word": draw.choice(WORDS),
                "words": ", ".join(f"'{word}'" for word in draw.sample(WORDS, draw.randint(1, 4))),
                "number": str(draw.choice([7, 10, 60, 100, draw.randint(2, 5000)])),
            }[name] + rest
        found[text] = None
    return list(found)


def read(number: int, text: str) -> ParsedText:
    return ParsedText(number, text, text, shape=shape_of(tokens_of(text)).key)


def outcomes(texts: list[str], rewrite_one: Callable[[str], str]) -> tuple[list[Outcome], list[int]]:
    """What becomes of texts of one shape, and which of them were rewritten in full."""
    asked: list[int] = []

    def one(text: ParsedText) -> Outcome:
        asked.append(text.text)
        sql = rewrite_one(text.sql or "")
        return sql if sql.startswith("no") else RewrittenText(text.text, sql, (TABLE,), ("rule",))

    found = rewrite_alike([read(number, text) for number, text in enumerate(texts)], one)
    return [outcome for _, outcome in sorted(found, key=lambda each: each[0].text)], asked


def sql_of(outcome: Outcome) -> str:
    return outcome if isinstance(outcome, str) else outcome.sql


class TestRewriteAlike:
    def same_as_in_full(self, texts: list[str], rewrite_one: Callable[[str], str]) -> int:
        """How many were rewritten in full; all must be what they would be."""
        found, asked = outcomes(texts, rewrite_one)
        assert [sql_of(each) for each in found] == [rewrite_one(text) for text in texts]
        assert [each.text for each in found if isinstance(each, RewrittenText)] == [
            number for number, each in enumerate(found) if isinstance(each, RewrittenText)
        ]
        return len(set(asked))

    def test_three_are_rewritten_in_full(self) -> None:
        texts = [f"SELECT n FROM t WHERE a = {number} AND b IN ('w{number}', 'v')" for number in range(11, 51, 2)]
        assert self.same_as_in_full(texts, lambda text: text.replace("FROM t", "FROM lake.design.small")) == 3

    def test_a_computed_literal_is_computed_for_each(self) -> None:
        texts = [f"SELECT n FROM t WHERE a < {number}" for number in range(11, 51, 2)]
        last = lambda text: f"SELECT n FROM s WHERE a <= {int(text.rpartition(' ')[2]) - 1}"  # noqa: E731
        assert self.same_as_in_full(texts, last) == len(texts)

    def test_a_literal_that_stood_in_two_places_waits_until_it_is_clear_which(self) -> None:
        texts = [f"SELECT n FROM t WHERE a = {a} AND b = {b}" for a, b in [(11, 13), (11, 17), (11, 19), (23, 13)]]
        texts += [f"SELECT n FROM t WHERE a = {number} AND b = {number + 4}" for number in range(27, 67, 4)]

        def keeps_both(text: str) -> str:
            words = text.split()
            return f"SELECT n FROM s WHERE b = {words[-1]} AND a = {words[-5]}"

        assert self.same_as_in_full(texts, keeps_both) < len(texts)

    def test_a_column_for_a_value_holds_that_literal_fixed(self) -> None:
        texts = [
            f"SELECT n FROM t WHERE kind = '{kind}' AND a > {number}"
            for kind in ("x", "y", "z")
            for number in range(11, 91, 2)
        ]

        def pivoted(text: str) -> str:
            words = text.split()
            return f'SELECT "n_{words[7][1:-1]}" FROM s WHERE a > {words[-1]}'

        assert self.same_as_in_full(texts, pivoted) < len(texts) / 3

    def test_a_step_that_divides_only_some_numbers_is_asked_of_each(self) -> None:
        texts = [f"SELECT n FROM t WHERE a >= {number}" for number in (10, 20, 50, 70, 30, 7, 90, 13, 40, 11)]

        def stepped(text: str) -> str:
            number = int(text.rpartition(" ")[2])
            return f"SELECT n FROM s WHERE a_by_10 >= {number}" if number % 10 == 0 else "no step"

        self.same_as_in_full(texts, stepped)

    def test_what_is_not_answered_is_not_tried_again_and_again(self) -> None:
        texts = [f"SELECT n FROM t WHERE a = {number}" for number in range(11, 51, 2)]
        assert self.same_as_in_full(texts, lambda text: "no table") == 3

    def test_text_that_is_not_printed_as_it_stands_is_rewritten_in_full(self) -> None:
        texts = [f"SELECT n FROM t WHERE a = '{word}'" for word in ("p", "q", "r", "s", "a\\b", "a\nb", "it''s", "ü")]
        assert self.same_as_in_full(texts, lambda text: text.replace("FROM t", "FROM s")) == 5


class TestByShape:
    def test_puts_the_most_often_run_first(self) -> None:
        texts = [f"SELECT a FROM t WHERE a = {n}" for n in (5, 6, 7)] + ["SELECT b FROM t WHERE a = 5"]
        groups = by_shape([read(number, text) for number, text in enumerate(texts)], {0: 1, 1: 4, 2: 2, 3: 6})
        assert [[text.text for text in group] for group in groups] == [[1, 2, 0], [3]]


class TestRewrite:
    def test_gives_what_it_would_give_for_each_text_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        texts = dashboards(400)
        queries = [{"queryid": f"q{n}", "query": text, "runquantity": 1 + n % 9} for n, text in enumerate(texts)]
        body = {"url": "jdbc:trino://nowhere.invalid:1", "ddl": [{"statement": EVENTS}], "queries": queries}
        workload = ingest("task-1", json.dumps(body).encode(), budget_s=600.0)
        still = Still()
        ports = Ports(runner=None, progress=still, deadline=still)  # type: ignore[arg-type]
        parsed = parse(workload, still)
        known = profile(workload, parsed, ports)
        plan = select(workload, parsed, known, propose(workload, parsed, known, ports), ports)
        once = rewrite(workload, parsed, known, plan, ports)
        monkeypatch.setattr(
            "heavy_stack.backend.advisor.rewrite.all_ways.rewrite_alike",
            lambda group, rewrite_one: ((text, rewrite_one(text)) for text in group),
        )
        alone = rewrite(workload, parsed, known, plan, ports)
        assert once.texts == alone.texts
        assert once.failed == alone.failed
        assert len(once.texts) > 200
