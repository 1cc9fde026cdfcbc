"""One hash for texts that differ only in literals, comments, spacing and the case of names."""

from __future__ import annotations

import hashlib

from sqlglot import exp

_KEPT_IN = (exp.DataTypeParam, exp.Group, exp.Ordered)
"""Parents whose number is part of the shape: decimal(12,2), GROUP BY 1, ORDER BY 2."""


def fingerprint(tree: exp.Expr) -> str:
    """Hex digest of the normalised tree; the tree is not changed. Lists of literals count as one literal."""
    shape = tree.copy()
    for node in list(shape.walk()):
        if isinstance(node, exp.Literal) and not isinstance(node.parent, _KEPT_IN):
            node.set("this", "?")
            node.set("is_string", False)
        elif isinstance(node, exp.Identifier):
            node.set("this", node.name.lower())
            node.set("quoted", True)
    for listed in shape.find_all(exp.In):
        items = listed.expressions
        if items and all(isinstance(item, exp.Literal) for item in items):
            listed.set("expressions", items[:1])
    return hashlib.sha256(shape.sql(dialect="trino", comments=False).encode()).hexdigest()[:32]
