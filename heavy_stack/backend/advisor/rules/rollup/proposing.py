"""From the texts of a workload to candidate rollups, and for each text without one the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate
from heavy_stack.backend.advisor.rules.protocol import ProposeContext, Proposed
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.coarser import coarser, is_too_large, max_share
from heavy_stack.backend.advisor.rules.rollup.determined import Determined
from heavy_stack.backend.advisor.rules.rollup.disjoint_counts import count_condition
from heavy_stack.backend.advisor.rules.rollup.joined_rows import makes_too_many_rows
from heavy_stack.backend.advisor.rules.rollup.merging import lattice, rollups_by_dimensions
from heavy_stack.backend.advisor.rules.rollup.repeated_rows import RepeatedRows
from heavy_stack.backend.advisor.rules.rollup.rollups import Asked, Rollup, candidate_of
from heavy_stack.backend.advisor.rules.rollup.savings import ROW_GROUP, Weigher, leading_column
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes, describe
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, text_of
from heavy_stack.backend.advisor.sql.guards import SqlProblem

NO_GROUPS = "It does not group rows of a table, so no rollup answers it."


def propose_rollups(context: ProposeContext) -> Proposed:
    """Candidates for all texts together; see the rule's `match`."""
    texts, runs, analyst, sizes = context.texts, context.runs, context.analyst, context.sizes
    progress, until_left_s = context.progress, context.until_left_s
    asked: list[Asked] = []
    why_not: dict[int, str] = {}
    for place, (number, text) in enumerate(texts.items()):
        if place % 20 == 0:
            progress.report(0.6 * place / len(texts), f"Analysing query text {place + 1} of {len(texts)}")
        if sizes.time_left_s() < until_left_s:
            why_not[number] = "The time for analysing texts ended before this one."
            continue
        try:
            analysis = analyst.analyse(text)
        except NotAnswerable as reason:
            why_not[number] = str(reason)
            continue
        except SqlProblem as problem:
            why_not[number] = f"The query cannot be resolved: {problem}."
            continue
        except RecursionError:
            why_not[number] = "The query is too deeply nested."
            continue
        blocks = analysis.blocks
        why_not[number] = next((why for _, why in blocks if isinstance(why, str)), NO_GROUPS)
        asked += [Asked(number, block, needs) for block, needs in analysis.answerable()]
    progress.report(0.6, "Counting the groups that tables would hold")
    repeated, determined = RepeatedRows(sizes), Determined(sizes, context.may_ask)

    def coarser_ones(rollups: list[Rollup]) -> list[Asked]:
        return coarser(rollups, analyst, sizes, repeated, determined)

    affordable = _affordable(rollups_by_dimensions(asked), sizes, repeated, coarser_ones, why_not)
    progress.report(0.8, "Sharing tables between queries")
    weigher = Weigher(context.costs, sizes)
    candidates: list[Candidate] = []
    for rollup in lattice(affordable, runs, sizes):
        try:
            found = _candidate(rollup, len(candidates) + 1, runs, analyst, sizes)
            candidates.append(replace(found, savings=weigher.savings(rollup), bytes=weigher.bytes(rollup)))
        except NotAnswerable as reason:
            why_not.update((text, str(reason)) for text in rollup.texts)
    served = {text for candidate in candidates for text in candidate.serves}
    return Proposed(tuple(candidates), {text: why for text, why in why_not.items() if text not in served})


def _affordable(
    rollups: list[Rollup],
    sizes: Sizes,
    repeated: RepeatedRows,
    coarser_ones: Callable[[list[Rollup]], list[Asked]] | None,
    why_not: dict[int, str],
) -> list[Rollup]:
    """The rollups that are small enough, and what `coarser_ones` finds in the place of the others."""
    # Before anything is counted: counting the groups of such joins is as dear as making them.
    rollups = [rollup for rollup in rollups if not _is_dear(rollup, sizes, why_not)]
    sizes.count(rollups)
    # The reason that stays is that of the largest source: a small table beside it is not what the query is about.
    for rollup in sorted(rollups, key=lambda each: sizes.core_rows(each.core) or 0):
        if is_too_large(rollup, sizes, repeated):
            source, rows = sizes.core_rows(rollup.core), sizes.rows(rollup)
            why = (
                f"A table by {describe(rollup)} would have about {rows:,} rows, more than {max_share(rollup):.0%} of"
                f" the {source:,} of its source."
            )
            why_not.update((text, why) for text in rollup.texts)
    kept = [rollup for rollup in rollups if not is_too_large(rollup, sizes, repeated)]
    found = coarser_ones(rollups) if coarser_ones is not None else []
    return kept + _affordable(rollups_by_dimensions(found), sizes, repeated, None, why_not) if found else kept


def _is_dear(rollup: Rollup, sizes: Sizes, why_not: dict[int, str]) -> bool:
    why = makes_too_many_rows(rollup.core, sizes)
    if why is not None:
        why_not.update((text, why) for text in rollup.texts)
    return why is not None


def _candidate(rollup: Rollup, number: int, runs: Mapping[int, int], analyst: Analyst, sizes: Sizes) -> Candidate:
    source, rows = sizes.core_rows(rollup.core), sizes.rows(rollup)
    count = len(rollup.texts)
    subject = "1 query text groups" if count == 1 else f"{count} query texts group"
    what = f"{subject} or filter by {describe(rollup)}"
    size = f"; {rows:,} rows stand for {source:,}" if rows is not None and source is not None else ""
    tables = {str(name).lower() for name in rollup.core.table_names}
    flags = sorted([table, column] for table, column in analyst.flags if table in tables)
    sized = Rollup(rollup.core, rollup.common, rollup.dimensions, rollup.measures, rollup.flags, rollup.asked, rows)
    # A large table is sorted by what queries filter: whole stretches of it are passed over.
    leading = leading_column(rollup) if (rows or 0) > ROW_GROUP else None
    nodes = list(rollup.dimensions.values())
    order = sorted(
        range(len(nodes)),
        key=lambda index: (
            leading is None or leading not in map(text_of, nodes[index].find_all(exp.Column)),
            sizes.order_of(rollup.core, nodes[index]),
        ),
    )
    evidence: dict[str, object] = {
        "flags": flags,
        "order": order,
        "source_rows": source,
        "counted": sizes.is_counted(rollup) and rows is not None,
        "runs": _weight(rollup, runs),
    }
    determined = {
        (count.text, text_of(node)): count_condition(rollup.core, count, node)
        for each in rollup.asked
        if each.needs.determines is not None
        for count, node in each.needs.told_apart_by(rollup.dimensions)
    }
    evidence["determined"] = [[*pair, *determined[pair]] for pair in sorted(determined)]
    return candidate_of(sized, number, f"{what}{size}.", evidence)


def _weight(rollup: Rollup, runs: Mapping[int, int]) -> int:
    return sum(runs.get(text, 0) for text in rollup.texts)
