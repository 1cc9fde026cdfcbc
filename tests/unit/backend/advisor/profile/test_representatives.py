"""The design is made for a few texts of each shape, which weigh as much as all of it."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ParsedText
from heavy_stack.backend.advisor.profile.representatives import HEAVY_SHARE, MANY, design_runs
from heavy_stack.backend.advisor.sql.literal_sites import shape_of
from heavy_stack.backend.advisor.sql.parsing import tokens_of


def read(texts: list[str]) -> list[ParsedText]:
    return [ParsedText(n, text, text, shape=shape_of(tokens_of(text)).key) for n, text in enumerate(texts)]


class TestDesignRuns:
    def test_few_texts_stand_for_themselves(self) -> None:
        texts = ["SELECT a FROM t WHERE a = 7", "SELECT a FROM t WHERE a = 9", "SELECT b FROM t"]
        assert design_runs(read(texts), {0: 4, 1: 5, 2: 6}) == {2: 6, 1: 5, 0: 4}

    def test_the_most_often_run_text_of_a_shape_stands_for_all_of_it(self) -> None:
        texts = [f"SELECT a FROM t WHERE a = {number}" for number in range(10, 60)]
        assert design_runs(read(texts), {**dict.fromkeys(range(50), 2), 30: 9}) == {30: 2 * 49 + 9}

    def test_each_of_a_few_values_has_a_representative(self) -> None:
        kinds = ("new", "old", "lost")
        texts = [f"SELECT a FROM t WHERE a > {n} AND kind = '{kinds[n % 3]}'" for n in range(10, 70)]
        found = design_runs(read(texts), dict.fromkeys(range(60), 1))
        assert [kinds[(number + 10) % 3] for number in found] in ([*kinds], ["old", "lost", "new"])
        assert sum(found.values()) == 60

    def test_what_does_not_parse_has_no_design(self) -> None:
        assert design_runs([ParsedText(0, "SELEC", None)], {0: 5}) == {}

    def test_of_many_shapes_the_heavy_ones_are_designed_for(self) -> None:
        texts = [f"SELECT c{number} FROM t" for number in range(MANY * 4)]
        runs = {number: 1000 if number < MANY * 2 else 1 for number in range(len(texts))}
        found = design_runs(read(texts), runs)
        assert MANY < len(found) <= MANY * 2
        assert sum(found.values()) >= HEAVY_SHARE * sum(runs.values())
