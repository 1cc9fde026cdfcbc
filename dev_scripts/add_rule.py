"""Writes what a new rule needs: its file, its line in RULES, two fixtures that rewrite, two that keep, and their test.

    python dev_scripts/add_rule.py store_month_ends "Keep the last row of each month beside the fact."

Without arguments it asks. The name is a verb phrase: rule id, file and fixture folder are the same word. The new rule
stays silent until its `match` finds something, so every check passes at once; the two tests of the fixtures that
rewrite fail, and that is where to go on.
"""

from __future__ import annotations

import argparse
import ast
import keyword
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RULES_FILE = "heavy_stack/backend/advisor/rules/__init__.py"
PACKAGE = "heavy_stack.backend.advisor.rules"
FAMILIES = ("schema", "layout", "query")
MAX_LINE = 120
DDL = "CREATE TABLE lake.shop.sales (sold_on date, region varchar, amount decimal(12, 2));\n"


def main(arguments: list[str] | None = None) -> int:
    """Ask or read, then write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Write what a new rule needs.")
    parser.add_argument("name", nargs="?", help="a verb phrase: store_month_ends")
    parser.add_argument("summary", nargs="?", help="what it does, in one sentence")
    parser.add_argument("--family", choices=FAMILIES, default="schema", help="its folder below rules/")
    given = parser.parse_args(arguments)
    name = given.name or input("Name, a verb phrase (store_month_ends): ").strip()
    summary = given.summary or input("What it does, in one sentence: ").strip()
    try:
        files = render(name, summary, given.family)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    listed = (ROOT / RULES_FILE).read_text(encoding="utf-8")
    present = [path for path in files if (ROOT / path).exists()]
    if present or name.upper() in listed:
        print(f"{present[0] if present else name} is there already; nothing was written", file=sys.stderr)
        return 1
    for path, text in files.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
        print(f"Wrote {path}")
    (ROOT / RULES_FILE).write_text(with_rule(listed, name, given.family), encoding="utf-8")
    print(f"Listed it in {RULES_FILE}")
    print(f"Next: write the rule until `pytest {_test_path(name, given.family)}` passes, and record what it writes.")
    return 0


def render(name: str, summary: str, family: str) -> dict[str, str]:
    """The new files: path → text.

    Raises:
        ValueError: The name is no verb phrase, or the summary no sentence.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", name) or keyword.iskeyword(name):
        raise ValueError(f"{name!r}: write the name as a verb phrase in small letters (store_month_ends)")
    sentence = summary.strip().rstrip(".") + "."
    if len(sentence) < 10 or len(sentence) > MAX_LINE - 10 or '"' in sentence or "\\" in sentence:
        raise ValueError(f"the summary is one plain sentence of 10 to {MAX_LINE - 10} characters")
    fixtures = f"tests/fixtures/rules/{name}"
    return {
        f"heavy_stack/backend/advisor/rules/{family}/{name}.py": _rule(name, sentence, family),
        **_rewrites(
            f"{fixtures}/rewrites_one_table", sentence, "SELECT region, SUM(amount) AS s FROM {} GROUP BY region"
        ),
        **_rewrites(
            f"{fixtures}/rewrites_with_a_filter", sentence, "SELECT SUM(amount) AS s FROM {} WHERE region = 'a'"
        ),
        **_keeps(f"{fixtures}/keeps_plain_rows", "Every row is asked for.", "SELECT sold_on, amount FROM {}"),
        **_keeps(
            f"{fixtures}/keeps_approximation",
            "An approximation does not merge.",
            "SELECT APPROX_DISTINCT(region) AS n FROM {}",
        ),
        _test_path(name, family): _test(name),
    }


def with_rule(source: str, name: str, family: str) -> str:
    """The catalogue's text with the rule imported, made and listed last."""
    tree = ast.parse(source)
    lines = source.splitlines()
    listed = next(node for node in tree.body if isinstance(node, ast.AnnAssign))
    if not isinstance(listed.value, ast.Tuple):
        raise ValueError("RULES is no tuple any more; list the rule by hand")
    names = [ast.unparse(item) for item in listed.value.elts] + [name.upper()]
    written = f"RULES: {ast.unparse(listed.annotation)} = ({', '.join(names)})"
    if len(written) > MAX_LINE:
        inside = "".join(f"    {each},\n" for each in names)
        written = f"RULES: {ast.unparse(listed.annotation)} = (\n{inside})"
    imports = [index for index, line in enumerate(lines) if line.startswith("from ")]
    wanted = f"from {PACKAGE}.{family}.{name} import {_class(name)}"
    at = next((index for index in imports if lines[index] > wanted), imports[-1] + 1)
    first, last = listed.lineno - 1, listed.end_lineno or listed.lineno
    changed = [*lines[:first], f"{name.upper()} = {_class(name)}()", *written.split("\n"), *lines[last:]]
    return "\n".join([*changed[:at], wanted, *changed[at:]]) + "\n"


def _class(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _test_path(name: str, family: str) -> str:
    return f"tests/unit/backend/advisor/rules/{family}/test_{name}.py"


def _rule(name: str, sentence: str, family: str) -> str:
    return f'''"""{sentence}

Before:
    The query, and what makes it slow.
After:
    The table that is stored, and the query that reads it.
Safe when:
    What must be true for the rows to stay the same; each guard below says which meaning would break without it.
Never when:
    What looks alike and is not.
Source:
    Where the idea comes from.
"""

from __future__ import annotations

from {PACKAGE}.protocol import ProposeContext, Proposed


class {_class(name)}:
    """Proposes tables, and rewrites a text onto those that exist."""

    id = "{name}"
    family = "{family}"
    needs: tuple[str, ...] = ()

    def match(self, context: ProposeContext) -> Proposed:
        """Candidates for all texts together; silent when unsure."""
        return Proposed(candidates=())
'''


def _rewrites(folder: str, why: str, query: str) -> dict[str, str]:
    text = query.format("lake.shop.sales")
    return {
        f"{folder}/before.sql": f"{DDL}{text};\n",
        f"{folder}/after.sql": f"{text};\n",
        f"{folder}/case.toml": f'why = "{why}"\nengines = ["duckdb", "trino"]\nordered = false\n',
    }


def _keeps(folder: str, why: str, query: str) -> dict[str, str]:
    return {
        f"{folder}/before.sql": f"{DDL}{query.format('lake.shop.sales')};\n",
        f"{folder}/case.toml": f'why = "{why}"\nengines = ["duckdb", "trino"]\nordered = false\n',
    }


def _test(name: str) -> str:
    return f'''"""The fixtures of `{name}`: same text, same rows, and silence where it does not fit."""

from __future__ import annotations

import pytest

from tests.support.rule_cases import Case, cases_of, differences, run_stages, written_after

CASES = cases_of("{name}")


@pytest.mark.parametrize("case", [case for case in CASES if case.after is not None], ids=lambda case: case.name)
class TestRewrites:
    def test_writes_the_recorded_script(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        assert case.after is not None
        assert "{name}" in {{rule for text in run.rewrite.texts for rule in text.rules}}
        assert written_after(run) == case.after.read_text()

    def test_returns_the_same_rows_on_small_tables_of_nulls_and_duplicates(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        assert [line for seed in range(6) for line in differences(run, seed)] == []


@pytest.mark.parametrize("case", [case for case in CASES if case.after is None], ids=lambda case: case.name)
class TestKeeps:
    def test_stays_silent(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        assert "{name}" not in {{candidate.rule for candidate in run.proposals.candidates}}
'''


if __name__ == "__main__":
    sys.exit(main())
