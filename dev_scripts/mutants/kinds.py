"""What a kind of wrong rewrite is: which nodes of a right one it changes, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlglot import exp

Change = Callable[[exp.Expr], exp.Expr]
"""Changes a node of a copied tree; returns what stands in its place (the node itself when changed in place)."""


@dataclass(frozen=True)
class Kind:
    """A kind of mistake.

    Attributes:
        name: Short, for the report.
        changes: The changes that apply to a node, in a fixed order; none when the kind does not concern it.
    """

    name: str
    changes: Callable[[exp.Expr], Iterable[Change]]


def setting(part: str, value: object) -> Change:
    """The change that sets one part of a node."""

    def change(node: exp.Expr) -> exp.Expr:
        node.set(part, value.copy() if isinstance(value, exp.Expr) else value)
        return node

    return change


def child(part: str) -> Change:
    """The change that puts a node's own part in its place."""
    return lambda node: wrapped(node.args[part].copy())


def wrapped(node: exp.Expr) -> exp.Expr:
    """The node in parentheses where it would bind differently without."""
    return exp.paren(node) if isinstance(node, (exp.Binary, exp.Between, exp.In, exp.Not)) else node


def as_kind(other: type[exp.Expr]) -> Change:
    """The change that gives a binary node another operator."""
    return lambda node: other(this=node.this.copy(), expression=node.args["expression"].copy())


def without(part: str, place: int) -> Change:
    """The change that takes one item out of a list of parts."""

    def change(node: exp.Expr) -> exp.Expr:
        node.set(part, [item.copy() for index, item in enumerate(node.args[part]) if index != place])
        return node

    return change


def replaced_by(other: exp.Expr) -> Change:
    """The change that puts a copy of another node in a node's place."""
    return lambda node: other.copy()


def number(value: int) -> exp.Expr:
    """A number in a tree."""
    return exp.Literal.number(value)


def owner(node: exp.Expr) -> exp.Select | None:
    """The SELECT that a node stands in."""
    found = node.find_ancestor(exp.Select)
    return found if isinstance(found, exp.Select) else None


def in_clause(node: exp.Expr, *clauses: type[exp.Expr]) -> bool:
    """Whether a node stands in one of these clauses of its own SELECT."""
    found = node.find_ancestor(exp.Select, *clauses)
    return isinstance(found, clauses)
