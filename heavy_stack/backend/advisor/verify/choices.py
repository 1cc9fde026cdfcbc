"""Choices that are mostly the same again where a CTE is opened twice: the rows of both are compared with each other."""

from __future__ import annotations

import random

from sqlglot import exp

AGAIN = 0.75
"""How often."""


class Choices:
    """What was chosen at each node.

    Args:
        draw: Decides.
    """

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._made: dict[int, int] = {}

    def drawn(self, node: exp.Expr, count: int) -> int:
        """One of so many, for this node."""
        if id(node) not in self._made or self._draw.random() >= AGAIN:
            self._made[id(node)] = self._draw.randrange(count)
        return self._made[id(node)]
