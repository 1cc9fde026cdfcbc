"""An answer as tables for the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from heavy_stack.shared_models.reports import Report, ScoreReport, TextReport
from heavy_stack.shared_models.verdicts import REASON_LABELS, Verdict

SHOWN_QUERIES = 60
NOT_MEASURED = "not measured"


def show_answer(console: Console, answer: dict[str, Any]) -> Report:
    """Print the report of a `/getresult` object; returns it."""
    report = Report.model_validate(answer["report"])
    console.print()
    console.print(Text(report.headline, style="bold"))
    console.print(Text(report.as_of.sentence))
    if report.engine_note:
        console.print(Text(report.engine_note, style="yellow"))
    console.print(_queries(report))
    if report.tables:
        console.print(_tables(report))
    console.print(_totals(report))
    if report.net_gain is not None:
        console.print(Text(report.net_gain.sentence))
    if report.certificates:
        console.print(Text(_conditions(len(report.certificates))))
    for warning in report.warnings:
        console.print(Text(warning, style="yellow"))
    return report


def _conditions(count: int) -> str:
    words = "1 condition that must stay true" if count == 1 else f"{count:,} conditions that must stay true"
    return f"The rewrites rely on {words} of your data: `heavy-stack recheck` checks again."


def _queries(report: Report) -> RenderableType:
    table = Table(title="Queries", header_style="bold", title_justify="left", expand=True)
    table.add_column("query", overflow="fold", min_width=12)
    for name in ("runs", "before", "after", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict or reason", overflow="fold", ratio=1)
    for query in report.queries[:SHOWN_QUERIES]:
        text = report.texts[query.text]
        changed = text.verdict is not Verdict.UNCHANGED
        table.add_row(
            query.queryid,
            f"{query.runquantity:,}",
            milliseconds(text.before_s),
            milliseconds(text.after_s if changed else None, missing="" if not changed else NOT_MEASURED),
            f"{text.ratio:.1f}×" if text.ratio is not None and changed else "",
            Text(_outcome(text), style="green" if changed else "dim"),
        )
    hidden = len(report.queries) - SHOWN_QUERIES
    return Group(table, Text(f"… and {hidden:,} more queries")) if hidden > 0 else table


def _outcome(text: TextReport) -> str:
    if text.verdict is not Verdict.UNCHANGED:
        return text.verdict.value
    if text.reason is None:
        return text.verdict.value
    return f"UNCHANGED {text.reason.value}: {text.detail or REASON_LABELS[text.reason]}"


def _tables(report: Report) -> Table:
    schema = f" in {report.tables[0].name.rpartition('.')[0]}"
    table = Table(title="New tables" + schema, header_style="bold", title_justify="left")
    table.add_column("table", overflow="fold")
    for name in ("rows", "size", "of rows", "build", "queries"):
        table.add_column(name, justify="right", no_wrap=True)
    for item in report.tables:
        table.add_row(
            item.name.rpartition(".")[2],
            f"{item.rows:,}" if item.rows is not None else NOT_MEASURED,
            megabytes(item.bytes),
            f"{item.share_of_source:.2%}" if item.share_of_source is not None else "",
            f"{item.build_s:.1f} s" if item.build_s is not None else "",
            f"{item.serves_queries:,}",
        )
    return table


def _totals(report: Report) -> Table:
    score = report.score
    table = Table(title="Totals", header_style="bold", title_justify="left")
    for name in ("", "x", "ΣQA/ΣQT", "y = S/(S+C)", "z_total", "y = S/C", "z_new"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("by runs", *_score_row(score))
    table.add_row(
        "equal weights",
        figure(score.x_equal_weights),
        figure(score.sum_ratio_equal_weights),
        figure(score.y_total),
        figure(score.z_total_equal_weights),
        figure(score.y_new),
        figure(score.z_new_equal_weights),
    )
    table.caption = f"S = {megabytes(report.storage_before_bytes)}, C = {megabytes(report.storage_new_bytes)}"
    return table


def _score_row(score: ScoreReport) -> tuple[str, ...]:
    values = (score.x, score.sum_ratio, score.y_total, score.z_total, score.y_new, score.z_new)
    return tuple(figure(value) for value in values)


def figure(value: float | None) -> str:
    """A ratio with sensible digits, or that nobody measured it."""
    return NOT_MEASURED if value is None else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def milliseconds(seconds: float | None, missing: str = NOT_MEASURED) -> str:
    """Seconds as milliseconds."""
    return missing if seconds is None else f"{seconds * 1000:,.1f} ms"


def megabytes(size: int | None) -> str:
    """Bytes as MB (10^6)."""
    return NOT_MEASURED if size is None else f"{size / 1e6:,.2f} MB"


def output_console() -> Console:
    """Standard output; wide enough for the tables when it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, 132))
