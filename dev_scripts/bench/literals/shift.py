"""Moves half of a workload's groups of literals, by seed; edits the texts at those places only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dev_scripts.bench.literals.dates import DateGroup, move_dates
from dev_scripts.bench.literals.domains import Domain
from dev_scripts.bench.literals.kinds import is_lone_guard, kind_of
from dev_scripts.bench.literals.sites import Site, find_sites
from dev_scripts.bench.literals.values import Draw, Literal, draw, move_values
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.parsing import tokens_of

SHARE = 0.5
REDRAWS = 5
DATES = "date"
ROW_KINDS = ("date", "number", "member")


@dataclass
class Group:
    """Literals of one query that move together."""

    key: str
    kind: str
    columns: tuple[str, ...]
    sites: list[Site] = field(default_factory=list)

    @property
    def literals(self) -> dict[str, Literal]:
        """The value of each text, in the order of the query."""
        return {site.raw: site.value for site in sorted(self.sites, key=lambda site: site.start)}

    @property
    def filters_rows(self) -> bool:
        """Whether it stands in a WHERE or ON over base columns."""
        return self.kind in ROW_KINDS and any(site.clause in ("WHERE", "JOIN") for site in self.sites)


@dataclass(frozen=True)
class Shifted:
    """What became of a workload.

    Attributes:
        texts: The new text by query id.
        moved: Queries in which a literal moved.
        row_moved: Queries in which a row filter moved.
        groups, groups_moved: Counted over the workload; all dates of a query are one.
        restored: Queries that returned no rows however their values were drawn, and so keep their text.
    """

    texts: dict[str, str]
    moved: frozenset[str]
    row_moved: frozenset[str]
    groups: int
    groups_moved: int
    restored: tuple[str, ...]


class Census:
    """The groups of each query of a workload; a query that cannot be resolved has none."""

    def __init__(self, texts: Mapping[str, str], catalog: Catalog) -> None:
        self.texts = dict(texts)
        self._sites: dict[str, list[Site]] = {}
        known: dict[str, list[Site]] = {}
        for queryid, text in texts.items():
            if text not in known:
                known[text] = _sites(text, catalog)
            self._sites[queryid] = known[text]

    def columns(self) -> set[str]:
        """All base columns that a literal is compared with."""
        return {column for sites in self._sites.values() for site in sites for column in site.columns}

    def groups(self, queryid: str, domains: Mapping[str, Domain]) -> list[list[Group]]:
        """The query's groups; the first list of them, if any holds dates, moves as one."""
        found = _groups(self._sites[queryid], domains)
        dates = [group for group in found if group.kind == DATES]
        return ([dates] if dates else []) + [[group] for group in found if group.kind != DATES]


def shift(
    census: Census, domains: Mapping[str, Domain], seed: str, lost_its_rows: Callable[[str, str], bool]
) -> Shifted:
    """Move the literals.

    Args:
        census: The workload's groups.
        domains: What the columns hold.
        seed: Which half, and where to.
        lost_its_rows: Whether the query returned rows and, with this text, does not.
    """
    units = [
        (draw(seed, queryid, _unit(groups)), queryid, groups)
        for queryid in census.texts
        for groups in census.groups(queryid, domains)
    ]
    units.sort(key=lambda unit: unit[0])
    wanted, done = math.ceil(len(units) * SHARE), 0
    chosen: dict[str, list[list[Group]]] = {}
    for _, queryid, groups in units:
        if done < wanted and _moves(groups, domains, seed, queryid):
            chosen.setdefault(queryid, []).append(groups)
            done += 1
    texts, restored = dict(census.texts), []
    for queryid, mine in chosen.items():
        text = _first_with_rows(census.texts[queryid], mine, domains, seed, queryid, lost_its_rows)
        if text is None:
            restored.append(queryid)
        else:
            texts[queryid] = text
    moved = {queryid for queryid in chosen if texts[queryid] != census.texts[queryid]}
    row_moved = {
        queryid for queryid in moved if any(group.filters_rows for groups in chosen[queryid] for group in groups)
    }
    return Shifted(texts, frozenset(moved), frozenset(row_moved), len(units), done, tuple(restored))


def _first_with_rows(
    text: str,
    units: Sequence[list[Group]],
    domains: Mapping[str, Domain],
    seed: str,
    queryid: str,
    lost_its_rows: Callable[[str, str], bool],
) -> str | None:
    for redraw in range(REDRAWS + 1):
        salted = f"{seed}/{redraw}" if redraw else seed
        edits: dict[tuple[int, int], str] = {}
        for groups in units:
            for group, moves in zip(groups, _moves(groups, domains, salted, queryid) or [], strict=False):
                edits |= {(site.start, site.end): moves[site.raw] for site in group.sites if site.raw in moves}
        moved = edited(text, edits)
        if not lost_its_rows(queryid, moved):
            return moved
    return None


def edited(text: str, edits: Mapping[tuple[int, int], str]) -> str:
    """The text with these places replaced."""
    for (start, end), new in sorted(edits.items(), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _moves(
    groups: Sequence[Group], domains: Mapping[str, Domain], seed: str, queryid: str
) -> list[dict[str, str]] | None:
    """For each group its new texts; None when nothing moves."""
    pick = Draw("move", seed, queryid, _unit(groups))
    if groups[0].kind == DATES:
        dates = [DateGroup(g.key, g.literals, _domain(g, domains)) for g in groups]
        moved = move_dates(dates, pick)
    else:
        moved = [move_values(g.kind, g.literals, _domain(g, domains), pick) for g in groups]
    return moved if moved is not None and any(moved) else None


def _unit(groups: Sequence[Group]) -> str:
    return DATES if groups[0].kind == DATES else f"{groups[0].kind}:{groups[0].key}"


def _domain(group: Group, domains: Mapping[str, Domain]) -> Domain | None:
    return domains.get(group.columns[0]) if len(group.columns) == 1 else None


def _sites(text: str, catalog: Catalog) -> list[Site]:
    try:
        sites = find_sites(text, catalog)
    except SqlProblem:
        return []
    # A place that is no literal token of the text (a rewritten DECIMAL '…', an expanded ordinal) cannot be edited.
    places = {(token.start, token.end + 1) for token in tokens_of(text)}
    return [site for site in sites if (site.start, site.end) in places]


def _groups(sites: Sequence[Site], domains: Mapping[str, Domain]) -> list[Group]:
    kinds = {site.start: kind_of(site, domains) for site in sites}
    bounded = {site.key for site in sites if kinds[site.start].name == "number" and not is_lone_guard(site)}
    groups: dict[str, Group] = {}
    for site in sites:
        kind = kinds[site.start]
        if kind.moves and not (kind.name == "number" and is_lone_guard(site) and site.key not in bounded):
            group = groups.setdefault(f"{kind.name}:{site.key}", Group(site.key, kind.name, site.columns))
            group.sites.append(site)
    compared = [g for g in groups.values() if any(site.clause != "SELECT" for site in g.sites)]
    columns = {column for group in compared if group.kind == DATES for column in group.columns}
    copies = [
        g for g in groups.values() if g not in compared and g.kind == DATES and columns & set(g.columns)
    ]  # a date column's literals move wherever they stand
    return compared + copies
