"""Table names in a text: which tokens name a table, and the text with them completed to three parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.trino import Trino

from heavy_stack.backend.advisor.sql.parsing import parse_statement, tokens_of, trailing_semicolons

if TYPE_CHECKING:
    from heavy_stack.backend.advisor.sql.catalog import Catalog


Edit = tuple[int, int, str]
"""(start, end, what stands there instead) by characters of a text."""


def complete_names(text: str, catalog: Catalog, tree: exp.Expr | None = None) -> str:
    """The client's own text, table names completed to three parts and the trailing `;` gone; nothing else changes.

    A name that the DDL does not have, that several tables fit, or that has three or more parts stays as it is.

    Args:
        text: One statement.
        catalog: The DDL's tables and the url's default catalog and schema.
        tree: `parse_statement(text)`, if it is at hand.

    Raises:
        SqlProblem, TooLarge: It does not parse.
    """
    return edited(text, completing_edits(text, catalog, parse_statement(text) if tree is None else tree))


def completing_edits(text: str, catalog: Catalog, tree: exp.Expr) -> list[Edit]:
    """What `complete_names` changes, in the text's order."""
    edits: list[Edit] = [(token.start, token.end + 1, "") for token in trailing_semicolons(tokens_of(text))]
    for node in base_tables(tree):
        parts = node.parts
        if len(parts) >= 3:
            continue
        table = catalog.resolve_node(node)
        start = parts[0].meta.get("start")
        if table is None or start is None:
            continue
        missing = (table.name.catalog, table.name.schema)[: 3 - len(parts)]
        edits.append((start, start, "".join(f"{quoted_if_needed(part)}." for part in missing)))
    return sorted(edits)


def edited(text: str, edits: list[Edit]) -> str:
    """The text with sorted edits made."""
    for start, end, replacement in reversed(edits):
        text = text[:start] + replacement + text[end:]
    return text


def base_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """The table references of a parsed tree that are no CTE's name."""
    for node in tree.find_all(exp.Table):
        if not _names_a_cte(node):
            yield node


def _names_a_cte(node: exp.Table) -> bool:
    """Whether an unqualified name means a CTE that is visible at its place."""
    if node.db or node.catalog or not isinstance(node.this, exp.Identifier):
        return False
    wanted = node.name.lower()
    child: exp.Expr = node
    parent = node.parent
    inside: exp.CTE | None = None
    while parent is not None:
        if isinstance(parent, exp.CTE):
            inside = parent
        if isinstance(parent, exp.With):
            # Within a WITH, a CTE sees those before it, and itself if recursive.
            for cte in parent.expressions:
                if inside is not None and cte is inside:
                    if parent.args.get("recursive") and inside.alias.lower() == wanted:
                        return True
                    break
                if cte.alias.lower() == wanted:
                    return True
        else:
            with_ = parent.args.get("with_")
            if with_ is not None and with_ is not child and any(c.alias.lower() == wanted for c in with_.expressions):
                return True
        child, parent = parent, parent.parent
    return False


_TOKENIZER_WORDS = frozenset(word.lower() for word in Trino.Tokenizer.KEYWORDS if word.isalpha())
# Trino's reserved words that sqlglot reads as parts of longer ones (ORDER BY), or not as words at all.
_RESERVED_WORDS = frozenset(
    [
        "by",
        "cast",
        "cube",
        "current_catalog",
        "current_date",
        "current_path",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "deallocate",
        "extract",
        "group",
        "grouping",
        "json_array",
        "json_exists",
        "json_object",
        "json_query",
        "json_table",
        "json_value",
        "listagg",
        "localtime",
        "localtimestamp",
        "normalize",
        "order",
        "recursive",
        "rollup",
        "skip",
        "trim",
        "uescape",
        "unnest",
    ]
)


def quoted_if_needed(name: str) -> str:
    """The name as an identifier: bare where Trino reads it bare as the same name, else quoted."""
    plain = name.isascii() and name.replace("_", "a").isalnum() and not name[:1].isdigit() and name == name.lower()
    if plain and name not in _TOKENIZER_WORDS and name not in _RESERVED_WORDS:
        return name
    return '"' + name.replace('"', '""') + '"'
