"""Why a mutant that nothing tells from the right rewrite is no other query: an argument, or none.

Arguments, each good for every database:
    - both trees have one normal form (`normal_forms`), a table's without what the text does not read;
    - the text adds up what the table's rows hold, so that finer or coarser rows come to the same (`merging`);
    - the table lost rows whose key is NULL, and the text refuses these.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from dev_scripts.mutants.drawing import columns_read
from dev_scripts.mutants.duplicates import is_doubled
from dev_scripts.mutants.merging import merges, seen_by
from dev_scripts.mutants.normal_forms import CHANGES, normal_form
from dev_scripts.mutants.null_facts import Known, conditions, group_keys, strict_columns, terms
from dev_scripts.mutants.readers import unread_when_null
from dev_scripts.mutants.shares import shares_of_table
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.types import type_name
from heavy_stack.backend.advisor.verify.column_types import read_type

DIGITS = 15
"""Decimals with no more digits come back from a double as they were."""
EQUAL_COLUMNS = "columns that are equal"
SAME_SHAPE = frozenset({"parentheses", "sides and order", "order of group keys"})


def argument_for_text(right: exp.Query, wrong: exp.Query, known: Known) -> str | None:
    """Why two texts are equivalent; None where that is not known."""
    names = _names(right, wrong, known)
    return None if names is None else ", ".join(sorted(names)) or "the same tree"


def argument_for_table(readings: Sequence[exp.Table], right: exp.Query, wrong: exp.Query, known: Known) -> str | None:
    """Why a text answers the same over two versions of a table, which it reads in these places.

    None where that is not known.
    """
    if not isinstance(right, exp.Select) or not isinstance(wrong, exp.Select) or not readings:
        return None
    wrong = _as_stored(right, wrong)
    right, wrong = _without_groups_refused(readings, right, wrong)
    read = {column for node in readings for column in (each.name.lower() for each in columns_read(node))}
    sides = [normal_form(_only(tree, read), known, frozenset(CHANGES)) for tree in (right, wrong)]
    if sides[0] == sides[1]:
        names = _names(_only(right, read), _only(wrong, read), known)
        return ", ".join(sorted(names or ())) or "a column that the text does not read"
    mine, other = sides
    if not isinstance(mine, exp.Select) or not isinstance(other, exp.Select):
        return None
    if is_doubled(right, wrong) and all(shares_of_table(node, right) for node in readings):
        return "the text shows shares of what is twice as much"
    if all(merges(node, mine, other) for node in readings):
        return "the text adds the rows up"
    if all(seen_by(node, mine, other) for node in readings):
        return "the text adds the rows up by the coarser grain"
    # Where joins differ, columns are equal in one version only: the keys must keep their names.
    named = [normal_form(_only(tree, read), known, frozenset(CHANGES) - {EQUAL_COLUMNS}) for tree in (right, wrong)]
    mine, other = named
    if not isinstance(mine, exp.Select) or not isinstance(other, exp.Select):
        return None
    differ = _lost_null(mine, other) or _null_rows(mine, other) | _null_measures(mine, other)
    if differ and all(differ & _refused_outputs(node, mine) for node in readings):
        return "the text refuses the rows that differ"
    return None


def _names(right: exp.Query, wrong: exp.Query, known: Known) -> frozenset[str] | None:
    """As few rewritings as make one tree of two; None where all of them do not."""
    names = frozenset(CHANGES)
    if normal_form(right, known, names) != normal_form(wrong, known, names):
        return None
    for name in sorted(names - SAME_SHAPE):
        fewer = names - {name}
        if normal_form(right, known, fewer) == normal_form(wrong, known, fewer):
            names = fewer
    return names - SAME_SHAPE


def _only(tree: exp.Query, names: set[str]) -> exp.Query:
    copy = tree.copy()
    if isinstance(copy, exp.Select) and copy.args.get("distinct") is None:
        kept = [item for item in copy.selects if item.alias_or_name.lower() in names]
        copy.set("expressions", kept or copy.selects[:1])
    return copy


def _without_groups_refused(
    readings: Sequence[exp.Table], right: exp.Select, wrong: exp.Select
) -> tuple[exp.Select, exp.Select]:
    """Both versions without the rows of groups that the text refuses by `count > 0`.

    That count is of rows that satisfy a condition on group keys alone: they all do, or none does.
    """
    asked: list[dict[str, exp.Expr]] = []
    for node in readings:
        select = node.find_ancestor(exp.Select)
        found: dict[str, exp.Expr] = {}
        for term in conditions(select) if select is not None else ():
            column = term.this if isinstance(term, exp.GT) and term.expression.sql() == "0" else None
            if isinstance(column, exp.Column) and column.table.lower() == node.alias_or_name.lower():
                test = _test_of_keys(column.name.lower(), right, wrong)
                found |= {test.sql(): test} if test is not None else {}
        asked.append(found)
    tests = [test for text, test in asked[0].items() if all(text in other for other in asked)]
    trees = right.copy(), wrong.copy()
    for tree in trees:
        for test in tests:
            tree.where(test.copy(), copy=False)
    return trees


def _test_of_keys(name: str, right: exp.Select, wrong: exp.Select) -> exp.Expr | None:
    """The condition of the rows that a column of both counts, where it reads group keys alone."""
    items = [{item.alias_or_name.lower(): item.unalias() for item in tree.selects}.get(name) for tree in (right, wrong)]
    call = items[0]
    if call is None or call != items[1] or not isinstance(call, exp.Filter) or call.this.sql() != "COUNT(*)":
        return None
    test = call.expression.this
    columns = list(test.find_all(exp.Column))
    keyed = all(column in group_keys(tree) for column in columns for tree in (right, wrong))
    bare = not any(test.find_all(exp.Func, exp.Query))
    return test if isinstance(test, exp.Expr) and columns and keyed and bare else None


def _lost_null(right: exp.Select, wrong: exp.Select) -> set[str]:
    """Group keys (as SQL) that only the wrong table asks to be not NULL, where nothing else is wrong."""
    mine, other = right.copy(), wrong.copy()
    tests = []
    for tree in (mine, other):
        where = tree.args.get("where")
        tests.append({term.sql(): term for term in terms(where.this if where is not None else None)})
        tree.set("where", None)
    if mine != other or not set(tests[0]) < set(tests[1]):
        return set()
    found = set()
    for text in set(tests[1]) - set(tests[0]):
        inner = tests[1][text].this if isinstance(tests[1][text], exp.Not) else None
        if not isinstance(inner, exp.Is) or not isinstance(inner.expression, exp.Null):
            return set()
        found.add(inner.this.sql())
    keys = {key.sql() for key in right.args["group"].expressions} if right.args.get("group") is not None else set()
    return found if len(found) == 1 and found <= keys else set()


def _as_stored(right: exp.Select, wrong: exp.Select) -> exp.Select:
    """The wrong table without casts to DOUBLE that its column takes back: a double holds 15 digits exactly."""
    copy = wrong.copy()
    for mine, item in zip(right.selects, copy.selects, strict=False):
        kind = type_name(mine.unalias()) or ""
        value = item.unalias()
        held = value if isinstance(value, exp.Cast) else value.this if isinstance(value, (exp.Min, exp.Max)) else None
        exact = isinstance(held, exp.Cast) and held.is_type("double") and type_name(held.this) == kind
        if isinstance(held, exp.Cast) and exact and kind.startswith("decimal") and read_type(kind).precision <= DIGITS:
            held.replace(held.this.copy())
    return copy


def _null_measures(right: exp.Select, wrong: exp.Select) -> set[str]:
    """Measures (as SQL) that are NULL in every row that only one of two tables has: one joins as LEFT.

    All measures read the joined source alone, so that rows without partner change no other row.
    """
    mine, other = right.copy(), wrong.copy()
    lefts = [join for tree in (mine, other) for join in tree.args.get("joins") or () if join.side]
    if len(lefts) != 1 or lefts[0].side.upper() != "LEFT" or not group_keys(right):
        return set()
    alias = lefts[0].this.alias_or_name.lower()
    lefts[0].set("side", None)
    lefts[0].set("kind", None)
    measures = [item.unalias() for item in mine.selects if item.unalias() not in group_keys(mine)]
    for measure in measures:
        strict = {exp.to_column(name).args["table"].name.lower() for name in strict_columns(measure.this or measure)}
        if type(measure) not in (exp.Sum, exp.Min, exp.Max, exp.Avg) or alias not in strict:
            return set()
    return {measure.sql() for measure in measures} if mine == other else set()


def _null_rows(right: exp.Select, wrong: exp.Select) -> set[str]:
    """Group keys (as SQL) that are NULL in every row that only one of two tables has: they join otherwise."""
    mine, other = right.copy(), wrong.copy()
    found: set[str] = set()
    for tree in (mine, other):
        joins = tree.args.get("joins") or []
        for join in joins:
            if (join.side or "").upper() == "LEFT":
                alias = join.this.alias_or_name.lower()
                found |= {key.sql() for key in group_keys(tree) if _comes_from(key, alias)}
                join.set("side", None)
                join.set("kind", None)
            for each in list(join.find_all(exp.NullSafeEQ)):
                found |= {side.sql() for side in (each.this, each.expression)}
                each.replace(exp.EQ(this=each.this.copy(), expression=each.expression.copy()))
    # More than one kind of join in a tree would make rows whose NULLs stand elsewhere.
    sides = [join for tree in (right, wrong) for join in tree.args.get("joins") or () if join.side]
    safe = [each for tree in (right, wrong) for each in tree.find_all(exp.NullSafeEQ)]
    single = len(sides) + len(safe) == 1
    keys = {key.sql() for key in group_keys(right)}
    forms = [normal_form(tree, Known(Catalog(()), {}), SAME_SHAPE) for tree in (mine, other)]
    return found & keys if single and forms[0] == forms[1] else set()


def _comes_from(key: exp.Expr, alias: str) -> bool:
    return any(exp.to_column(name).args["table"].name.lower() == alias for name in strict_columns(key))


def _refused_outputs(place: exp.Table, table: exp.Select) -> set[str]:
    """What stands behind those columns of a table whose NULL a text refuses, there or further out."""
    select = place.find_ancestor(exp.Select)
    if select is None:
        return set()
    return {
        item.unalias().sql()
        for item in table.selects
        if unread_when_null(select, place.alias_or_name, item.alias_or_name)
    }
