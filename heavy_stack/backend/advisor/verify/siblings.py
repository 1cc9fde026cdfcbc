"""Rows beside a row in its group: aggregates that count different rows get one each.

`SUM(CASE WHEN day < 6 …) > SUM(CASE WHEN day > 5 …)` asks two things of one column: no single row is both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from heavy_stack.backend.advisor.verify.expressions import Pusher
from heavy_stack.backend.advisor.verify.sketch import Derived, Frame, Meaning, Slot

MOST_BESIDE = 6
"""Rows of their own in one group."""
MOST_ROWS = 60
"""A sketch with more rows gets no more of them."""


def frame_for(pusher: Pusher, call: exp.Expr, frame: Frame) -> Frame:
    """The frame in which to ask for a row that an aggregate counts.

    That is the aggregate's own, as long as no other one has asked something of the same columns there.
    """
    asked = {slot for test in _tests(call) for slot in pusher.slots_in(test, frame)}
    text = call.sql()
    if all(frame.claimed.get(slot, text) == text for slot in asked):
        frame.claimed.update(dict.fromkeys(asked, text))
        return frame
    if text not in frame.beside:
        frame.beside[text] = _beside(pusher, frame, {slot.row for slot in asked})
    return frame.beside[text]


def _tests(call: exp.Expr) -> Iterator[exp.Expr]:
    """What decides which rows an aggregate counts."""
    if isinstance(call, exp.Filter):
        yield call.expression.this
        call = call.this
    if isinstance(call, exp.CountIf):
        yield call.this
    for branch in call.find_all(exp.If):
        yield branch.this


def _beside(pusher: Pusher, frame: Frame, rows: set[int]) -> Frame:
    """The frame of new rows of the same group, which satisfy the same conditions."""
    wanted = sorted(rows & set(frame.countable_rows()))
    if not wanted or len(frame.beside) >= MOST_BESIDE or len(pusher.sketch.rows) >= MOST_ROWS:
        return frame
    copies = {row: pusher.sketch.add_row(pusher.sketch.rows[row].table) for row in wanted}
    moved: dict[Frame, Frame] = {}
    made = _moved(frame, copies, moved)
    for node, old, _ in list(pusher.selects):
        if old in moved:
            where = node.args.get("where")
            asked = [join.args.get("on") for join in node.args.get("joins") or ()]
            for condition in (*asked, where.this if where is not None else None):
                if condition is not None:
                    pusher.require(condition, moved[old], True)
        if old is frame:
            _same_group(pusher, node, frame, made)
    return made


def _same_group(pusher: Pusher, node: exp.Select, frame: Frame, made: Frame) -> None:
    group = node.args.get("group")
    for key in group.expressions if group is not None else ():
        behind = behind_ordinal(key, node)
        for left, right in zip(pusher.slots_in(behind, frame), pusher.slots_in(behind, made), strict=True):
            if left != right:
                pusher.sketch.unite(left, right)


def behind_ordinal(key: exp.Expr, node: exp.Select) -> exp.Expr:
    """What a key of GROUP BY means: a number names an output."""
    if (
        isinstance(key, exp.Literal)
        and not key.is_string
        and key.this.isdigit()
        and 0 < int(key.this) <= len(node.selects)
    ):
        return node.selects[int(key.this) - 1].unalias()
    return key


def _moved(frame: Frame, copies: Mapping[int, int], moved: dict[Frame, Frame]) -> Frame:
    """The frame, and those of derived tables in it, with other rows in the place of some."""
    if frame not in moved:
        made = moved[frame] = Frame(outer=frame.outer, grouped=frame.grouped)
        made.rows = [copies[row] for row in frame.rows if row in copies]
        made.inner = [_moved(inner, copies, moved) for inner in frame.inner if not inner.grouped]
        made.sources = {
            alias: {name: _meaning(meaning, copies, moved) for name, meaning in columns.items()}
            for alias, columns in frame.sources.items()
        }
    return moved[frame]


def _meaning(meaning: Meaning, copies: Mapping[int, int], moved: Mapping[Frame, Frame]) -> Meaning:
    if isinstance(meaning, Slot):
        return Slot(copies.get(meaning.row, meaning.row), meaning.column)
    return Derived(meaning.node, moved.get(meaning.frame, meaning.frame))
