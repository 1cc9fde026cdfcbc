"""Texts that differ in literals only: three are run, and what they show holds for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from heavy_stack.backend.advisor.artefacts import ParsedText, RewrittenText, TextVerdict, Verdicts
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.verify.kin import Kin, kin_of
from heavy_stack.shared_models.verdicts import Reason, Verdict
from tests.unit.backend.advisor.verify.rollups import PAIRS, rewritten
from tests.unit.backend.advisor.verify.star import TABLES
from tests.unit.backend.advisor.verify.test_real_data import FROM, KINDS, REGIONS, STORES, regions
from tests.unit.backend.advisor.verify.workloads import verified

OpenPorts = Callable[..., Ports]
ORIGINAL, REWRITE = PAIRS["march_by_store"]
FLOORS = [11, 13, 17, 19, 23, 29, 31, 37]


def pairs(floors: list[int], *, wrong: tuple[str, str] = ("", "")) -> tuple[list[str], list[RewrittenText]]:
    """The same question with other thresholds; `wrong` changes every rewrite."""
    originals = [ORIGINAL.replace("> 10", f"> {floor}") for floor in floors]
    sqls = [REWRITE.replace("> 10", f"> {floor}").replace(*wrong) for floor in floors]
    return originals, [rewritten(place, sql) for place, sql in enumerate(sqls)]


def groups(originals: list[str], rewrites: list[RewrittenText]) -> list[Kin]:
    parsed = {place: ParsedText(place, text, text) for place, text in enumerate(originals)}
    return kin_of(rewrites, parsed, {0: 5})


def was_run(text: TextVerdict) -> bool:
    return any(item.kind == "data_set" and item.rows for item in text.evidence)


class TestKinOf:
    def test_puts_texts_together_whose_literals_stand_for_each_other(self) -> None:
        (kin,) = groups(*pairs(FLOORS))
        assert len(kin.texts) == len(FLOORS)
        assert kin.texts[0].text == 0

    def test_a_literal_of_the_rewrite_that_is_none_of_the_texts_own_keeps_them_apart(self) -> None:
        originals, rewrites = pairs(FLOORS)
        odd = [replace(each, sql=each.sql.replace("2023-03-31", f"2023-03-{each.text + 10}")) for each in rewrites]
        assert len(groups(originals, odd)) == len(FLOORS)

    def test_literals_that_changed_places_keep_them_apart(self) -> None:
        original, sql = "SELECT id FROM t WHERE a = 5 AND b = {}", "SELECT id FROM t WHERE a = {} AND b = {}"
        originals = [original.format(number) for number in (7, 9)]
        rewrites = [rewritten(0, sql.format(5, 7)), rewritten(1, sql.format(9, 5))]
        assert len(groups(originals, rewrites)) == 2

    @pytest.mark.parametrize("change", [{"by_rule": True}, {"tables": ()}, {"conditions": (("key", "SELECT 1"),)}])
    def test_what_else_is_said_of_a_rewrite_keeps_them_apart(self, change: dict[str, object]) -> None:
        originals, rewrites = pairs(FLOORS[:2])
        assert len(groups(originals, [rewrites[0], replace(rewrites[1], **change)])) == 2  # type: ignore[arg-type]

    def test_spokesmen_differ_in_every_literal_in_which_the_others_do(self) -> None:
        originals, rewrites = [], []
        for place in range(90):
            floor, month = 3 + 2 * place, "05" if place == 80 else "03"
            originals.append(ORIGINAL.replace("> 10", f"> {floor}").replace("2023-03-31", f"2023-{month}-31"))
            rewrites.append(rewritten(place, REWRITE.replace("> 10", f"> {floor}").replace("03-31", f"{month}-31")))
        (kin,) = groups(originals, rewrites)
        chosen = {text.text for text in kin.spokesmen()}
        assert {0, 80} < chosen
        assert 3 <= len(chosen) <= 5

    def test_round_numbers_do_not_speak_for_others(self) -> None:
        (kin,) = groups(*pairs([50, 100, 200, 400, 13]))
        assert 4 in {text.text for text in kin.spokesmen()}


class TestVerify:
    def test_three_texts_are_run_for_all(self, open_ports: OpenPorts) -> None:
        found = verified(open_ports(TABLES), *pairs(FLOORS))
        assert {text.verdict for text in found.texts} == {Verdict.EQUAL_ON_TESTS}
        assert sum(map(was_run, found.texts)) == 3
        (shared,) = next(text for text in found.texts if not was_run(text)).evidence
        assert (shared.outcome, shared.name) == ("equal", "3 texts of its shape")
        assert "verified with 3 sets of literals" in (shared.detail or "")

    def test_a_wrong_rewrite_is_sent_for_none(self, open_ports: OpenPorts) -> None:
        found = verified(open_ports(TABLES), *pairs(FLOORS, wrong=("SUM(n)", "COUNT(n)")))
        assert {(text.verdict, text.reason) for text in found.texts} == {(Verdict.UNCHANGED, Reason.DIFFERENT)}

    def test_one_wrong_rewrite_is_run_by_itself(self, open_ports: OpenPorts) -> None:
        originals, rewrites = pairs(FLOORS)
        rewrites[6] = replace(rewrites[6], sql=rewrites[6].sql.replace("> 31", "> 30"))
        found = {text.text: text for text in verified(open_ports(TABLES), originals, rewrites).texts}
        assert found[6].reason is Reason.DIFFERENT
        assert {found[place].verdict for place in range(8) if place != 6} == {Verdict.EQUAL_ON_TESTS}


class TestVerifyOnData:
    @pytest.fixture
    def lake(self, open_ports: OpenPorts, make_lake: Callable[[str, str], Path]) -> Ports:
        city = "'c' || CAST(hash(i) AS varchar)"
        select = f"SELECT CAST(i AS integer) AS store_id, {city} AS city, 'r' || i % 3 AS region"
        return open_ports([STORES], make_lake("shop/stores", f"{select} FROM range(1500000) AS t(i)"))

    def by_region(self, lake: Ports, count: int) -> Verdicts:
        names = [name for name, _ in KINDS]
        floors = [3 + 2 * place for place in range(count)]
        originals = [f"SELECT region, COUNT(*) AS n {FROM} GROUP BY region HAVING COUNT(*) > {n}" for n in floors]
        sqls = [f"SELECT {', '.join(names[:2])} FROM {REGIONS} WHERE n > {floor}" for floor in floors]
        texts = [RewrittenText(place, sql, (REGIONS,), ("rollup",)) for place, sql in enumerate(sqls)]
        return verified(lake, originals, texts, level="engine", tables=[STORES], design=[regions()], reachable=True)

    def test_texts_that_others_stand_for_are_run_on_the_data_as_well(self, lake: Ports) -> None:
        found = self.by_region(lake, 6)
        assert {(text.verdict, text.detail) for text in found.texts} == {(Verdict.EQUAL_ON_DATA, None)}
        assert [text.measured_texts for text in found.texts].count(3) == 3
        for text in found.texts:
            assert text.before_s is not None
            assert text.after_s is not None

    def test_without_time_for_it_they_keep_the_verdict_of_the_tests(
        self, lake: Ports, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("heavy_stack.backend.advisor.verify.stage.OTHERS_SHARE", 0.0)
        found = self.by_region(lake, 6)
        kinds = [text.verdict for text in found.texts]
        assert kinds.count(Verdict.EQUAL_ON_DATA) == kinds.count(Verdict.EQUAL_ON_TESTS) == 3
        for text in found.texts:
            assert (text.measured_texts == 3) is (text.verdict is Verdict.EQUAL_ON_TESTS)
            assert text.before_s is not None
