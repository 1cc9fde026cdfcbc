"""The second text of a shape is answered as if it had been parsed, whatever its literals, comments and spaces are."""

from __future__ import annotations

import random

import pytest

from heavy_stack.backend.advisor.parse.ddl import read_tables
from heavy_stack.backend.advisor.parse.texts import TextReader
from heavy_stack.shared_models.verdicts import Reason

DDL = [
    "CREATE TABLE lake.shop.sales (id bigint, channel varchar(20), sold_on date, at timestamp(6), price decimal(10, 2),"
    " rate double, gone boolean)",
    'CREATE TABLE lake.shop."Order Lines" (id bigint, note varchar)',
]
TEMPLATES = [
    "SELECT id FROM sales WHERE sold_on >= {date} AND sold_on < {date} GROUP BY 1 HAVING count(*) > {int}",
    "SELECT {space}sum(id) AS p FROM shop.sales {comment}WHERE channel IN ({strings}) AND id > {number} ORDER BY p;",
    'SELECT * FROM sales s JOIN "Order Lines" l ON l.note <> {string} WHERE rate BETWEEN {number} AND {number}',
    "WITH sales AS (SELECT id FROM shop.sales WHERE at >= {timestamp}) SELECT id FROM sales WHERE id = {int} LIMIT {int};;",  # noqa: E501
    "SELECT CASE WHEN channel = {string} THEN {string} ELSE 'x' END AS k FROM sales WHERE {number} < rate{comment}",
    "SELECT id FROM sales WHERE id NOT IN ({ints}) OR id IN ({ints}) OR channel LIKE {string} OR note = {string}",
    "SELECT date_trunc('month', at) FROM sales WHERE at > {timestamp} - INTERVAL {string} DAY AND gone = true",
    "SELECT id FROM sales WHERE price = DECIMAL {decimal} AND id > -{int} AND sold_on <> CAST({day} AS DATE)",
    "SELECT random() FROM sales WHERE id = {int}",
    "SELECT id FROM {space}nosuch WHERE channel = {string}",
    "SELECT id,{space} nosuch FROM sales WHERE channel = {string}",
    "SELECT id FROM sales WHERE channel = {string} AND (id > {int}",
    "DELETE FROM sales WHERE id = {int}",
    "SELECT id FROM sales WHERE channel = {string} GROUP BY {int}",
]  # fmt: skip
STRINGS = [
    "a",
    "",
    "it''s",
    "100%",
    "--x",
    "/* no */",
    "Zürich",
    "北京",
    "0",
    "1.5",
    "2024-01-01",
    "a\nb",
    ";",
    '"q"',
    "\\",
    "😀",
]
INTS = ["0", "1", "7", "42", "2147483648", "9223372036854775808", "007", "1_000"]
NUMBERS = [*INTS, "0.5", "1.50", ".5", "5.", "1e5", "1E-3", "2.5e+2", "0.00", "123456789012345678901234567890.5"]


def drawn(draw: random.Random) -> dict[str, str]:
    def day() -> str:
        return (
            f"'{draw.choice([2023, 2024])}-{draw.choice(['01', '02', '06'])}-{draw.choice(['01', '15', '29', '30'])}'"
        )

    def string() -> str:
        return f"'{draw.choice(STRINGS)}'"

    clock = draw.choice([" 00:00:00", " 10:00:00", " 10:30:00.123", "", " UTC"])
    return {
        "date": draw.choice([f"DATE {day()}", f"date({day()})", day(), "current_date"]),
        "day": day(),
        "timestamp": f"TIMESTAMP {day()[:-1]}{clock}'",
        "string": string(),
        "strings": ", ".join(string() for _ in range(draw.randint(1, 4))),
        "int": draw.choice(INTS),
        "ints": ",".join(draw.choice([*INTS, "-3"]) for _ in range(draw.randint(1, 4))),
        "number": draw.choice(["", "-", "- "]) + draw.choice(NUMBERS),
        "decimal": draw.choice(["'1.50'", "'0.06'", "'-7'", "'x'"]),
        "space": draw.choice(["", " ", "\n", "\t  "]),
        "comment": draw.choice(["", "/* all 'of' it */", "-- it's\n", "\n"]),
    }


def texts(template: str, count: int) -> list[str]:
    """Each hole of a template is filled anew."""
    draw = random.Random(template)
    found = []
    for _ in range(count):
        parts = template.split("{")
        filled = parts[0]
        for part in parts[1:]:
            name, _, rest = part.partition("}")
            filled += drawn(draw)[name] + rest
        found.append(filled)
    return found


class TestTextReader:
    @pytest.mark.parametrize("template", TEMPLATES)
    def test_reads_a_text_as_a_reader_does_that_saw_no_other(self, template: str) -> None:
        tables = read_tables(DDL)
        reader = TextReader(tables, "lake", "shop")
        for number, text in enumerate(texts(template, 150)):
            assert reader.read(number, text) == TextReader(tables, "lake", "shop").read(number, text), text

    def test_parses_texts_of_one_shape_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        parsed: list[int] = []
        whole = TextReader._parsed

        def noted(self: TextReader, index: int, text: str) -> object:
            parsed.append(index)
            return whole(self, index, text)

        monkeypatch.setattr(TextReader, "_parsed", noted)
        reader = TextReader(read_tables(DDL), "lake", "shop")
        found = [reader.read(n, f"SELECT id FROM sales WHERE id = {n + 7} -- {n}\n LIMIT {n + 9}") for n in range(9)]
        assert parsed == [0]
        assert found[8].answer == "SELECT id FROM lake.shop.sales WHERE id = 15 -- 8\n LIMIT 17"
        assert len({each.shape for each in found}) == len({each.fingerprint for each in found}) == 1

    def test_the_place_of_a_problem_is_the_texts_own(self) -> None:
        reader = TextReader(read_tables(DDL), "lake", "shop")
        reader.read(0, "SELECT id FROM nosuch WHERE id = 7")
        found = reader.read(1, "SELECT id\nFROM  nosuch WHERE id = 8")
        assert (found.reason, found.line, found.column) == (Reason.UNKNOWN_TABLE, 2, 7)
