"""Mutants of a tree: every place where a kind of mistake can be made, and the tree with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from dev_scripts.mutants import aggregates, constants, predicates, shapes, sources
from dev_scripts.mutants.kinds import Kind, owner

KINDS: tuple[Kind, ...] = (
    *predicates.KINDS,
    *constants.KINDS,
    *aggregates.KINDS,
    *sources.KINDS,
    *shapes.KINDS,
)
"""Every kind of mistake, in the report's order."""

_BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, order=True)
class Site:
    """A place where a mistake can be made.

    Attributes:
        kind: The kind's name.
        place: The node's place in `tree.walk()`.
        number: Which of the kind's changes of that node.
    """

    kind: str
    place: int
    number: int


def sites(tree: exp.Expr) -> Iterator[Site]:
    """Every single mistake that can be made in a typed tree."""
    for place, node in enumerate(tree.walk()):
        for kind in KINDS:
            for number, _ in enumerate(kind.changes(node)):
                yield Site(kind.name, place, number)


def mutated(tree: exp.Expr, site: Site, *, everywhere: bool = False) -> exp.Expr:
    """A copy of the tree with the mistake made.

    Args:
        everywhere: In every equal expression of the same SELECT: a group key stands in several clauses.
    """
    copy = tree.copy()
    node = next(node for place, node in enumerate(copy.walk()) if place == site.place)
    nodes = [node]
    if everywhere:
        select = owner(node)
        nodes += [
            each for each in copy.find_all(type(node)) if each is not node and each == node and owner(each) is select
        ]
    changed = copy
    for each in nodes:
        changes = list(_BY_NAME[site.kind].changes(each))
        if site.number >= len(changes):
            continue
        other = changes[site.number](each)
        if other is each:
            continue
        if each is copy:
            changed = other
        else:
            each.replace(other)
    return changed
