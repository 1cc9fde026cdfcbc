"""The result's score: x, ΣQA/ΣQT, y and z, in both readings of storage and with equal weights."""

from __future__ import annotations

from heavy_stack.frontend.components.elements import NOTHING, Column, disclosure, facts, table
from heavy_stack.frontend.components.figures import NOT_MEASURED, plural, score, seconds, size
from heavy_stack.frontend.reactpy_util import html
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.reports import NetGainReport, Report

_COLUMNS = (
    Column("Figure"),
    Column("Weighted by runs", figures=True),
    Column("Equal weights", figures=True),
    Column("Meaning"),
)


def score_section(report: Report) -> Component:
    """Four figures to see at once, and all of them on request."""
    figures = report.score
    tiles = [
        _tile(score(figures.sum_ratio), "ΣQA/ΣQT", "total time before, divided by total time after"),
        _tile(score(figures.x), "x", "mean of how many times faster, weighted by runs"),
        _tile(score(figures.z_total), "z, your tables stay", "x · ∛y with y = S/(S+C)"),
        _tile(score(figures.z_new), "z, new tables only", "x · ∛y with y = S/C"),
    ]
    rows: list[list[Component]] = [
        ["x", score(figures.x), score(figures.x_equal_weights), "Σ(Q·A/T) / ΣQ: a mean of ratios; it can flatter"],
        [
            "ΣQA/ΣQT",
            score(figures.sum_ratio),
            score(figures.sum_ratio_equal_weights),
            "total time before / total time after",
        ],
        ["y, your tables stay", score(figures.y_total), NOTHING, "S/(S+C): new tables come on top of yours"],
        ["y, new tables only", score(figures.y_new), NOTHING, "S/C: storage before / storage of the new tables"],
        [
            "z, your tables stay",
            score(figures.z_total),
            score(figures.z_total_equal_weights),
            "x · ∛y; the reading that counts",
        ],
        ["z, new tables only", score(figures.z_new), score(figures.z_new_equal_weights), "x · ∛y"],
    ]
    storage = (
        f"Storage before (S): {size(report.storage_before_bytes)}. New tables (C): {size(report.storage_new_bytes)}."
    )
    return html.section(
        {"className": "card", "aria-labelledby": "score-heading"},
        html.h2({"id": "score-heading"}, "Score"),
        html.div({"className": "tiles"}, *tiles),
        html.p({"className": "hint"}, storage),
        *_net_gain(report.net_gain),
        disclosure("All figures and what they mean", table("Score figures", _COLUMNS, rows)),
    )


def _net_gain(gain: NetGainReport | None) -> list[Component]:
    if gain is None:
        return []
    often = gain.worth_refreshes_per_day
    return [
        html.h3("Net gain"),
        facts(
            ("Saved a day", seconds(max(0.0, gain.saved_s_per_day))),
            ("One refresh of all tables", seconds(gain.refresh_s)),
            ("Worth it up to", NOT_MEASURED if often is None else f"{score(often)} refreshes a day"),
            ("Run counts cover", plural(gain.window_days, "day")),
        ),
        html.p({"className": "hint"}, gain.sentence),
    ]


def _tile(value: str, name: str, meaning: str) -> Component:
    size_class = "tile-value" if value[0].isdigit() else "tile-value tile-words"
    return html.div(
        {"className": "tile", "key": name},
        html.div({"className": "tile-name"}, name),
        html.div({"className": size_class}, value),
        html.div({"className": "hint"}, meaning),
    )
