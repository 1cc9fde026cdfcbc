"""A case's two texts as trees, and the pair of texts that compares them."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.sql.catalog import Catalog, resolve
from heavy_stack.backend.advisor.sql.determinism import nondeterminism, ties
from heavy_stack.backend.advisor.sql.parsing import parse_statement
from heavy_stack.backend.advisor.verify.cases import Case
from heavy_stack.backend.advisor.verify.check_texts import StaticDifference, check_texts
from heavy_stack.shared_models.verdicts import Reason


def read_pair(case: Case, catalog: Catalog, designed: Catalog) -> tuple[exp.Query, exp.Query]:
    """Trees of our own, resolved: the check changes them. Refuses a case whose result is random.

    Args:
        case: Gets what in it depends on the order of tied rows.
        catalog: The DDL's tables.
        designed: The same and the design's tables.

    Raises:
        SqlProblem, TooLarge
    """
    original = resolve(parse_statement(case.original), catalog)
    other = resolve(parse_statement(case.rewritten.sql), designed)
    chance = nondeterminism(original)
    if chance is not None:
        case.refuse(Reason.NONDETERMINISTIC, f"its result depends on {chance}")
    case.ties = ties(original) and ties(_without_limits(original))
    return original, other


def prepare(case: Case, original: exp.Query, other: exp.Query) -> None:
    """Set what is run to compare both, or refuse the case where they differ at sight.

    Raises:
        Unprintable
    """
    if not case.open:
        return
    found = check_texts(original, other)
    if isinstance(found, StaticDifference):
        case.refuse(Reason.DIFFERENT, found.detail)
    else:
        case.check = found


def _without_limits(tree: exp.Query) -> exp.Query:
    """The tree without LIMITs: what ties at a cut, the comparison allows for."""
    bare = tree.copy()
    for query in bare.find_all(exp.Query):
        for name in ("limit", "offset"):
            query.set(name, None)
    return bare
