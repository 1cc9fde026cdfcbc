"""The pair of texts that is run to compare a rewrite with its original.

Not the texts as they are sent: both sides are changed in the same way, so that what SQL leaves open cannot look like a
difference, and what it fixes is compared in full.
    - The outermost ORDER BY, LIMIT, OFFSET and FETCH go; they must be the same on both sides. ORDER BY keys that are no
      output columns become extra columns. So the rows before LIMIT are compared as bags, with their order keys.
    - ROUND over a double goes at output level when both sides round to the same place: a sum in another order may fall
      on the other side of a half.
    - An inner ORDER BY … LIMIT gets all its output columns as tie-breakers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope

from heavy_stack.backend.advisor.sql.printing import trino_sql
from heavy_stack.backend.advisor.sql.types import type_name
from heavy_stack.backend.advisor.verify.surveys import MOMENTS

ORDER_COLUMN = "heavy_order_key_"
HIGH, LOWERED = 5, 2
"""Thresholds on aggregates above the first are also tried as the second."""
_TAIL = ("order", "limit", "offset", "fetch")


@dataclass(frozen=True)
class CheckTexts:
    """What to run.

    Attributes:
        original, rewritten: Trino SQL of both sides.
        exact: The output has no floating point, so the engine itself can compare it.
        moments: Output positions that depend on CORR, STDDEV, VAR or COVAR.
        needed_rows: Rows that the original must return for a data set to count.
        relaxed: Both sides again with lower thresholds on aggregates (HAVING COUNT(*) > 1000 becomes > 2), so that many
            groups pass on small data; None where the thresholds do not stand alike on both sides.
        unrounded: Both sides, and both again with lower thresholds, without any ROUND over a double. For texts with
            `moments`, whose rebuilt digits may fall on the other side of a half inside the query: what looks different
            is looked at again so.
        probe: Counts what `needed_rows` is about when the rows themselves do not show it (one row from many groups, or
            one aggregated row); it must then give at least 2.
    """

    original: str
    rewritten: str
    exact: bool
    moments: frozenset[int]
    needed_rows: int
    probe: str | None
    relaxed: tuple[str, str] | None = None
    unrounded: tuple[tuple[str, str], tuple[str, str] | None] | None = None


@dataclass(frozen=True)
class StaticDifference:
    """Both texts cannot be equal, whatever the data: why."""

    detail: str


def check_texts(original: exp.Query, rewritten: exp.Query) -> CheckTexts | StaticDifference:
    """The texts that compare two resolved and typed trees, or why they differ at sight.

    Both trees are changed on the way: hand in trees that nobody else reads.

    Raises:
        Unprintable: A tree cannot be printed without changing its meaning.
    """
    difference = _compare_tails(original, rewritten) or _keep_order_keys(original, rewritten)
    if difference is not None:
        return StaticDifference(difference)
    _strip_rounding(original, rewritten)
    _break_frame_ties(original, rewritten)
    for tree in (original, rewritten):
        for name in _TAIL:
            tree.set(name, None)
        _break_inner_ties(tree)
    types = [type_name(item.unalias()) for item in original.selects]
    exact = all(name is not None and "double" not in name and "real" not in name for name in types)
    texts = trino_sql(original), trino_sql(rewritten)
    probe, needed = _probe(original)
    moments = _moment_positions(original)
    bare = _without_rounding(original, rewritten) if moments else None
    relaxed = _relaxed(original, rewritten)
    unrounded = None if bare is None else ((trino_sql(bare[0]), trino_sql(bare[1])), _relaxed(*bare))
    return CheckTexts(*texts, exact, moments, needed, probe, relaxed, unrounded)


def multiset_difference(texts: CheckTexts) -> tuple[str, str]:
    """Two counts that must both be 0: rows of each side that the other does not have as often."""
    pairs = ((texts.original, texts.rewritten), (texts.rewritten, texts.original))
    left, right = (f"SELECT COUNT(*) FROM (({mine}) EXCEPT ALL ({other})) AS surplus" for mine, other in pairs)  # noqa: S608
    return left, right


def _compare_tails(original: exp.Query, rewritten: exp.Query) -> str | None:
    """As many columns, the same LIMIT, OFFSET and FETCH, and ORDER BY keys with the same directions."""
    if len(original.selects) != len(rewritten.selects):
        return f"{len(original.selects)} columns became {len(rewritten.selects)}"
    for name in ("limit", "offset", "fetch"):
        mine, other = original.args.get(name), rewritten.args.get(name)
        if mine != other:
            return f"{name.upper()} is not the same"
    mine_order, other_order = _ordered(original), _ordered(rewritten)
    if len(mine_order) != len(other_order):
        return f"ORDER BY has {len(mine_order)} keys and {len(other_order)} in the rewrite"
    for place, (left, right) in enumerate(zip(mine_order, other_order, strict=True)):
        if _direction(left) != _direction(right):
            return f"ORDER BY key {place + 1} has another direction or place of NULLs"
    return None


def _ordered(tree: exp.Query) -> list[exp.Ordered]:
    order = tree.args.get("order")
    return [] if order is None else [item for item in order.expressions if isinstance(item, exp.Ordered)]


def _direction(key: exp.Ordered) -> tuple[bool, bool]:
    return bool(key.args.get("desc")), bool(key.args.get("nulls_first"))


def _keep_order_keys(left: exp.Query, right: exp.Query) -> str | None:
    """ORDER BY keys that are no output columns become columns; keys that are must be the same columns."""
    pairs = list(zip(_ordered(left), _ordered(right), strict=True))
    for place, (mine, other) in enumerate(pairs):
        my_position, other_position = _output_position(mine.this, left), _output_position(other.this, right)
        if my_position is not None and my_position == other_position:
            continue
        if not _takes_columns(left) or not _takes_columns(right):
            return f"ORDER BY key {place + 1} is not the same output column"
        for key, tree in ((mine, left), (other, right)):
            value = _without_aliases(key.this, tree)
            tree.append("expressions", exp.alias_(value, f"{ORDER_COLUMN}{place}"))
    return None


def _takes_columns(tree: exp.Query) -> bool:
    return isinstance(tree, exp.Select) and tree.args.get("distinct") is None


def _output_position(key: exp.Expr, tree: exp.Query) -> int | None:
    """The output column that an ORDER BY key is: by number, by alias, or as the same expression."""
    key = key.unnest()
    if isinstance(key, exp.Literal) and not key.is_string and key.this.isdigit():
        return int(key.this) - 1
    names = [item.alias_or_name.lower() for item in tree.selects]
    if isinstance(key, exp.Column) and not key.table and names.count(key.name.lower()) == 1:
        return names.index(key.name.lower())
    values = [item.unalias() for item in tree.selects]
    return values.index(key) if isinstance(tree, exp.Select) and key in values else None


def _without_aliases(key: exp.Expr, tree: exp.Query) -> exp.Expr:
    """The key with output aliases replaced by what they stand for, since a projection cannot see them."""
    by_name = {item.alias_or_name.lower(): item.unalias() for item in tree.selects}
    key = key.copy()
    if isinstance(key, exp.Column) and not key.table:
        return by_name.get(key.name.lower(), key).copy()
    if isinstance(key, exp.Literal) and not key.is_string and key.this.isdigit():
        return tree.selects[int(key.this) - 1].unalias().copy()
    for column in list(key.find_all(exp.Column)):
        if not column.table and column.name.lower() in by_name:
            column.replace(exp.paren(by_name[column.name.lower()].copy()))
    return key


def _strip_rounding(left: exp.Query, right: exp.Query) -> None:
    if not _takes_columns(left) or not _takes_columns(right):
        return
    for mine, other in zip(left.selects, right.selects, strict=True):
        my_value, other_value = mine.unalias().unnest(), other.unalias().unnest()
        if _rounds_double(my_value) and _rounds_double(other_value) and _same_places(my_value, other_value):
            for value in (my_value, other_value):
                value.replace(value.this)


def _without_rounding(left: exp.Query, right: exp.Query) -> tuple[exp.Query, exp.Query] | None:
    """Copies without any ROUND over a double; None where both sides do not round alike, or not at all."""
    mine, others = (
        sorted(
            trino_sql(node.args["decimals"])
            for node in tree.find_all(exp.Round)
            if _rounds_double(node) and node.args.get("decimals")
        )
        for tree in (left, right)
    )
    if not mine or mine != others:
        return None
    bare = left.copy(), right.copy()
    for tree in bare:
        for node in list(tree.find_all(exp.Round)):
            if _rounds_double(node):
                node.replace(exp.paren(node.this))
    return bare


def _rounds_double(node: exp.Expr) -> bool:
    return isinstance(node, exp.Round) and type_name(node.this) == "double" and type_name(node) == "double"


def _same_places(left: exp.Expr, right: exp.Expr) -> bool:
    places = left.args.get("decimals"), right.args.get("decimals")
    return places[0] == places[1]


def _break_inner_ties(tree: exp.Query) -> None:
    for query in list(tree.find_all(exp.Select, exp.SetOperation)):
        if query is tree or query.args.get("order") is None:
            continue
        limit = query.args.get("limit") or query.args.get("fetch")
        if limit is None or limit.args.get("with_ties") or limit.find(exp.LimitOptions) is not None:
            continue
        # By name, so that both sides break ties alike whatever the order of their columns; floats last.
        ranked = sorted((_tie_rank(item), place) for place, item in enumerate(query.selects))
        for _, place in ranked:
            key = exp.Ordered(this=exp.Literal.number(place + 1), nulls_first=False)
            query.args["order"].append("expressions", key)


def _break_frame_ties(left: exp.Query, right: exp.Query) -> None:
    """ROWS frames of SELECTs that show the same on both sides get what they show as further keys, on both."""
    mine, others = (_framed(tree) for tree in (left, right))
    for shown, selects in mine.items():
        twins = others.get(shown, [])
        for select in (*selects, *twins) if len(selects) == len(twins) else ():
            columns = {column.sql(): column for item in select.selects for column in item.find_all(exp.Column)}
            for window in select.find_all(exp.Window):
                if _is_framed(window, select):
                    keys = [exp.Ordered(this=columns[text].copy(), nulls_first=False) for text in sorted(columns)]
                    window.args["order"].set("expressions", [*window.args["order"].expressions, *keys])


def _framed(tree: exp.Query) -> dict[str, list[exp.Select]]:
    """By what they show: SELECTs without groups that have such a frame."""
    found: dict[str, list[exp.Select]] = {}
    for select in tree.find_all(exp.Select):
        if select.args.get("group") is None and any(_is_framed(each, select) for each in select.find_all(exp.Window)):
            found.setdefault(", ".join(item.sql() for item in select.selects), []).append(select)
    return found


def _is_framed(window: exp.Window, select: exp.Select) -> bool:
    spec, order = window.args.get("spec"), window.args.get("order")
    rows = spec is not None and str(spec.args.get("kind") or "").upper() == "ROWS"
    return rows and order is not None and window.find_ancestor(exp.Select) is select


def _tie_rank(item: exp.Expr) -> tuple[bool, str]:
    name = type_name(item.unalias()) or ""
    return ("double" in name or "real" in name, item.alias_or_name.lower())


def _moment_positions(tree: exp.Query) -> frozenset[int]:
    scope = build_scope(tree) if tree.find(*MOMENTS) is not None else None
    if scope is None:
        return frozenset()
    return frozenset(place for place in range(len(tree.selects)) if _is_moment(scope, place, 0))


def _is_moment(scope: Scope, place: int, depth: int) -> bool:
    """Whether the output column depends on an aggregate that loses digits when it is rebuilt from sums."""
    node = scope.expression
    if depth > 40:
        return True
    if isinstance(node, exp.SetOperation):
        return any(_is_moment(branch, place, depth + 1) for branch in scope.set_operation_scopes or ())
    if not isinstance(node, exp.Select) or place >= len(node.selects):
        return False
    item = node.selects[place]
    if item.find(*MOMENTS) is not None:
        return True
    for column in item.find_all(exp.Column):
        source = scope.sources.get(column.table)
        if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
            names = [inner.alias_or_name.lower() for inner in source.expression.selects]
            if column.name.lower() in names and _is_moment(source, names.index(column.name.lower()), depth + 1):
                return True
    return False


def _relaxed(left: exp.Query, right: exp.Query) -> tuple[str, str] | None:
    """Both sides with each high threshold on an aggregate lowered alike, changing the trees; None when there is none.

    A threshold counts only if the number stands in as many comparisons on both sides and, on the left, in comparisons
    with aggregates alone: then it cannot be part of a filter that the design has baked in.
    """
    lowered = False
    mine, others = _by_number(_thresholds(left)), _by_number(_thresholds(right))
    for number, found in mine.items():
        twins = others.get(number, [])
        if len(found) != len(twins) or not all(aggregate for _, aggregate in found):
            continue
        for node, _ in [*found, *twins]:
            node.set("this", str(LOWERED))
        lowered = True
    return (trino_sql(left), trino_sql(right)) if lowered else None


def _by_number(found: list[tuple[exp.Literal, bool]]) -> dict[str, list[tuple[exp.Literal, bool]]]:
    grouped: dict[str, list[tuple[exp.Literal, bool]]] = {}
    for node, aggregate in found:
        grouped.setdefault(str(node.this), []).append((node, aggregate))
    return grouped


def _thresholds(tree: exp.Query) -> list[tuple[exp.Literal, bool]]:
    """Integers above `HIGH` that something is compared with, and whether that is an aggregate."""
    derived = _aggregate_outputs(tree)
    found = []
    for comparison in tree.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE):
        for number, subject in ((comparison.expression, comparison.this), (comparison.this, comparison.expression)):
            if not isinstance(number, exp.Literal) or number.is_string or not number.this.isdigit():
                continue
            if int(number.this) > HIGH:
                columns = list(subject.find_all(exp.Column))
                from_derived = bool(columns) and all((column.table, column.name) in derived for column in columns)
                found.append((number, from_derived or subject.find(exp.AggFunc) is not None))
    return found


def _aggregate_outputs(tree: exp.Query) -> set[tuple[str, str]]:
    """(alias, column) of derived tables' columns that are aggregates."""
    found: set[tuple[str, str]] = set()
    for scope in traverse_scope(tree):
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
                for item in source.expression.selects:
                    if item.find(exp.AggFunc) is not None:
                        found.add((alias, item.alias_or_name))
    return found


def _probe(tree: exp.Query) -> tuple[str | None, int]:
    """What counts as "the original returned something": rows needed, and a count of groups where rows do not tell."""
    if not isinstance(tree, exp.Select):
        grouped = any(select.args.get("group") for select in tree.find_all(exp.Select))
        return None, 2 if grouped else 1
    if tree.args.get("group") is not None or tree.args.get("distinct") is not None:
        return None, 2
    if any(item.find(exp.AggFunc) and not item.find(exp.Window) for item in tree.selects):
        return _counting(tree), 1
    block = next(_grouped_blocks(tree), None)
    if block is None:
        return None, 1
    ctes = tree.args.get("with_")
    before = f"{trino_sql(ctes)} " if ctes is not None else ""
    return f"{before}SELECT COUNT(*) AS seen FROM ({trino_sql(block)}) AS probe", 1  # noqa: S608


def _counting(tree: exp.Select) -> str:
    """How many rows a global aggregate sees."""
    items, having = tree.expressions, tree.args.get("having")
    tree.set("expressions", [exp.alias_(exp.Count(this=exp.Star(), big_int=True), "seen")])
    tree.set("having", None)
    text = trino_sql(tree)
    tree.set("expressions", items)
    tree.set("having", having)
    return text


def _grouped_blocks(tree: exp.Select) -> Iterator[exp.Select]:
    """SELECTs with GROUP BY that feed the query through FROM, outermost first."""
    scope = build_scope(tree)
    queue = [scope] if scope is not None else []
    seen: set[int] = set()
    for current in queue:
        if id(current) in seen:
            continue
        seen.add(id(current))
        node = current.expression
        if isinstance(node, exp.Select) and node.args.get("group") is not None:
            yield node
        queue += list(current.set_operation_scopes or ())
        queue += [source for _, source in current.selected_sources.values() if isinstance(source, Scope)]
