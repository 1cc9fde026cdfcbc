"""Aggregation over UNION ALL, done branch by branch first: every branch then groups rows of its own base tables.

`SELECT k, SUM(v) FROM (A UNION ALL B) u JOIN d ON … WHERE … GROUP BY k` is
`SELECT k, SUM(s) FROM (SELECT k, SUM(v) AS s FROM A JOIN d … GROUP BY k UNION ALL SELECT … FROM B …) GROUP BY k`:
a join and a filter work row by row, so they may be done in each branch, and sums, counts and extremes merge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.aggregates import AggregatePlan, plan_of
from heavy_stack.backend.advisor.rules.rollup.blocks import rows_make_groups
from heavy_stack.backend.advisor.rules.rollup.inlining import drop_unread_ctes, groups_rows, side_of, sources_of
from heavy_stack.backend.advisor.rules.rollup.measures import Measure, type_at
from heavy_stack.backend.advisor.rules.rollup.names import NameMaker, name_of_expression, name_of_measure
from heavy_stack.backend.advisor.rules.rollup.needs import group_keys, needs_an_empty_group
from heavy_stack.backend.advisor.rules.rollup.stored_parts import Lookup
from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    aggregates_of,
    canonical,
    columns_of,
    is_case_branch,
    is_volatile,
    own_parts,
    rebuilt,
    select_nodes,
    text_of,
    unwrapped,
)
from heavy_stack.backend.advisor.sql.printing import cast_to

MAX_BRANCHES = 12
_PLAIN_KEYS = frozenset({"expressions", "from_", "joins", "where", "kind", "operation_modifiers"})
_CHANGED_PARTS = ("expressions", "group", "having", "order", "windows", "distinct")
_KEPT_PARTS = ("with_", "kind", "limit", "offset", "fetch", "operation_modifiers")


def group_below_unions(tree: exp.Query) -> tuple[bool, bool]:
    """Rewrite every aggregation over a UNION ALL of base tables, in place.

    Returns:
        Whether something changed, and whether all of it is exact (sums of doubles may round in another order).
    """
    changed, exact = False, True
    # Inner ones first: an outer one takes copies along.
    for select in reversed(list(tree.find_all(exp.Select))):
        if not groups_rows(select):
            continue
        try:
            new, all_exact = _grouped_below(select, tree)
        except NotAnswerable:
            continue
        changed, exact = True, exact and all_exact
        for key in (*_CHANGED_PARTS, "from_", "joins", "where"):
            select.set(key, new.args.get(key))
    if changed:
        drop_unread_ctes(tree)
    return changed, exact


def _grouped_below(select: exp.Select, tree: exp.Query) -> tuple[exp.Select, bool]:
    union, join = _union_source(select)
    branches = _branches(union, tree)
    _check_surroundings(select, union, join)
    alias = union.alias_or_name
    keys = _keys(select)
    if not keys and rows_make_groups(select):
        raise NotAnswerable("The rows are grouped by constants only.")
    plans = [plan_of(call, lambda node: False, lambda node: node) for call in aggregates_of(select)]
    for plan in plans:
        for node in plan.over_dimensions:
            if plan.build is None and any(True for _ in columns_of(node, _aliases(select))):
                keys.setdefault(_text(node), node)
    merged = _Merged(select, alias, keys, plans)
    types = {column.name: column for part in own_parts(select) for column in columns_of(part, {alias})}
    in_keys = {column.name for key in keys.values() for column in columns_of(key, {alias})}
    parts = [merged.branch(_typed(branch, branches[0], types, in_keys), union) for branch in branches]
    together: exp.Query = parts[0]
    for part in parts[1:]:
        together = exp.Union(this=together, expression=part, distinct=False)
    source = exp.Subquery(this=together, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    return merged.select(source), all(plan.exact for plan in plans)


class _Merged:
    """The outer SELECT over what the branches give."""

    def __init__(self, select: exp.Select, alias: str, keys: dict[str, exp.Expr], plans: list[AggregatePlan]) -> None:
        self.old, self.alias, self.keys, self.plans = select, alias, keys, plans
        self.aliases = _aliases(select)
        names = NameMaker()
        self.key_names = {text: names.fresh(name_of_expression(node, True)) for text, node in keys.items()}
        self.measures: dict[str, tuple[str, Measure]] = {}
        for plan in plans:
            for each in plan.measures():
                if each.text not in self.measures:
                    self.measures[each.text] = (names.fresh(name_of_measure(each, True)), each)
        self.answers: dict[int, exp.Expr] = {}

    def branch(self, rows: exp.Select, union: exp.Expr) -> exp.Select:
        """The groups of one branch's rows."""
        new = exp.Select()
        items = [exp.alias_(node.copy(), self.key_names[text], quoted=True) for text, node in self.keys.items()]
        items += [exp.alias_(_call(each), name, quoted=True) for name, each in self.measures.values()]
        new.set("expressions", items)
        source = exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier(self.alias, quoted=True)))
        for each, join in sources_of(self.old):
            placed = source if each is union else each.copy()
            if join is None:
                new.set("from_", exp.From(this=placed))
            else:
                copied = join.copy()
                copied.set("this", placed)
                new.append("joins", copied)
        where = self.old.args.get("where")
        if where is not None:
            new.set("where", where.copy())
        if self.keys:
            new.set("group", exp.Group(expressions=[node.copy() for node in self.keys.values()]))
        return new

    def select(self, source: exp.Subquery) -> exp.Select:
        """The block's own parts over the branches' groups."""
        may_be_empty = needs_an_empty_group(self.old)
        for plan in self.plans:
            if plan.build is not None:
                self.answers[id(plan.top)] = plan.answer(self, may_be_empty)
        new = exp.Select()
        for key in _CHANGED_PARTS:
            value = self.old.args.get(key)
            if isinstance(value, list):
                new.set(key, [self.derived(item) for item in value])
            elif isinstance(value, exp.Expr):
                new.set(key, self.derived(value))
        new.set("from_", exp.From(this=source))
        return new

    def column(self, wanted: Measure) -> exp.Expr:
        """The branches' column of a measure."""
        name, stored = self.measures[wanted.text]
        found = exp.column(name, table=self.alias, quoted=True)
        found.type = exp.DataType.build(stored.type, dialect="trino")
        return found

    def rows(self) -> exp.Expr:
        """Nothing asks for it: no condition is decided per group here."""
        raise NotAnswerable("The rows of a branch are not counted.")

    def narrowed(self, condition: exp.Expr, taken: Sequence[Lookup]) -> tuple[Lookup, list[exp.Expr]] | None:
        """A branch has no spread columns."""
        return None

    def derived(self, node: exp.Expr) -> exp.Expr:
        """An expression of the block over the branches' columns."""
        answered = self.answers.get(id(node))
        if answered is not None:
            return answered.copy()
        if isinstance(node, exp.Query):
            if any(True for _ in columns_of(node, self.aliases)):
                raise NotAnswerable("A subquery looks at the rows of a UNION.")
            return node.copy()
        speaks = any(isinstance(part, exp.Column) and part.table in self.aliases for part in node.walk())
        if speaks and _text(node) in self.key_names and not is_case_branch(node):
            found = exp.column(self.key_names[_text(node)], table=self.alias, quoted=True)
            found.type = node.type
            return found
        if isinstance(node, exp.Column):
            if node.table in self.aliases:
                raise NotAnswerable("A column of a UNION is no key.")
            return node.copy()
        return rebuilt(node, self.derived)


def _call(measure: Measure) -> exp.Expr:
    call = measure.expression()
    for node in (call, call.this) if isinstance(call, exp.Filter) else (call,):
        node.type = exp.DataType.build(measure.type, dialect="trino")
    argument = (call.this if isinstance(call, exp.Filter) else call).this
    if measure.function == "SUM" and measure.type == "double" and argument.type is None:
        argument.type = exp.DataType.build("DOUBLE")  # a square, which only the plan writes
    return call


def _aliases(select: exp.Select) -> set[str]:
    return {source.alias_or_name for source, _ in sources_of(select)}


def _text(node: exp.Expr) -> str:
    return text_of(canonical(node, {}))


def _keys(select: exp.Select) -> dict[str, exp.Expr]:
    aliases = _aliases(select)
    return {_text(key): unwrapped(key) for key in group_keys(select) if any(True for _ in columns_of(key, aliases))}


def _union_source(select: exp.Select) -> tuple[exp.Expr, exp.Join | None]:
    found = [(source, join) for source, join in sources_of(select) if not (isinstance(source, exp.Table) and source.db)]
    if len(found) != 1 or not isinstance(found[0][0], (exp.Subquery, exp.Table)):
        # A derived table joined beside it would be computed once a branch.
        raise NotAnswerable("There is no single UNION beside base tables.")
    return found[0]


def _branches(source: exp.Expr, tree: exp.Query) -> list[exp.Select]:
    """The SELECTs of a UNION ALL behind a derived table or a CTE's name, each plain."""
    alias = source.args.get("alias")
    body: exp.Expr | None
    if isinstance(source, exp.Subquery):
        body = source.this if not source.args.get("pivots") else None
    else:
        cte = next((cte for cte in tree.find_all(exp.CTE) if cte.alias == source.name), None)
        body, alias = (cte.this, cte.args.get("alias")) if cte is not None else (None, None)
    if isinstance(alias, exp.TableAlias) and alias.columns:
        raise NotAnswerable("The columns of a UNION are renamed.")
    found = list(_flattened(body))
    if not 2 <= len(found) <= MAX_BRANCHES:
        raise NotAnswerable("There is no UNION ALL of a few branches.")
    for branch in found:
        _check_plain(branch)
    return found


def _flattened(body: exp.Expr | None) -> Iterator[exp.Select]:
    waiting = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Union) and not node.args.get("distinct"):
            if any(node.args.get(key) for key in ("order", "limit", "offset", "fetch", "with_", "by_name", "side")):
                raise NotAnswerable("A UNION is cut or ordered.")
            waiting += [node.expression, node.this]
        elif isinstance(node, exp.Subquery) and not node.alias and set(node.args) - {"this"} <= _unset(node):
            waiting.append(node.this)
        elif isinstance(node, exp.Select):
            yield node
        else:
            raise NotAnswerable("The rows come from no UNION ALL.")


def _unset(node: exp.Expr) -> set[str]:
    return {key for key, value in node.args.items() if not value}


def _check_plain(branch: exp.Select) -> None:
    if any(value for key, value in branch.args.items() if key not in _PLAIN_KEYS) or aggregates_of(branch):
        raise NotAnswerable("A branch of a UNION chooses or folds rows.")
    if any(isinstance(node, (exp.Window, exp.Unnest, exp.Query)) for node in select_nodes(branch)):
        raise NotAnswerable("A branch of a UNION looks beyond its rows.")
    if any(is_volatile(item) for item in branch.expressions):
        raise NotAnswerable("A branch of a UNION computes what differs from run to run.")
    if not any(isinstance(source, exp.Table) and source.db for source, _ in sources_of(branch)):
        raise NotAnswerable("A branch of a UNION reads no table.")


def _check_surroundings(select: exp.Select, union: exp.Expr, join: exp.Join | None) -> None:
    if any(
        value
        for key, value in select.args.items()
        if key not in (*_CHANGED_PARTS, *_KEPT_PARTS, "from_", "joins", "where")
    ):
        raise NotAnswerable("The query uses a clause that is not taken apart.")
    for _, each in sources_of(select):
        side = "" if each is None else side_of(each)
        if side not in ("", "LEFT") or (each is join and side):
            raise NotAnswerable("An outer join would keep rows once a branch.")
        if side and join is not None:
            raise NotAnswerable("An outer join stands before the UNION.")
    if any(isinstance(node, exp.Window) for node in select_nodes(select)) and not aggregates_of(select):
        raise NotAnswerable("A window sees single rows.")
    where = select.args.get("where")
    conditions = [where] if where is not None else []
    conditions += [each.args["on"] for _, each in sources_of(select) if each is not None and each.args.get("on")]
    if any(isinstance(node, exp.Query) for part in conditions for node in part.walk()):
        raise NotAnswerable("A subquery of the filter would be computed once a branch.")
    if any(is_volatile(node) for node in group_keys(select)):
        raise NotAnswerable("A key differs from run to run.")


def _typed(branch: exp.Select, first: exp.Select, columns: dict[str, exp.Column], in_keys: set[str]) -> exp.Select:
    """A copy of a branch under the names of the first one, each column with the type that the UNION gives it.

    Raises:
        NotAnswerable: A type is not known.
    """
    new = branch.copy()
    if len(branch.expressions) != len(first.expressions):
        raise NotAnswerable("The branches of a UNION differ in their columns.")
    items: list[exp.Expr] = []
    for item, named in zip(branch.expressions, first.expressions, strict=True):
        value, name = item.unalias().copy(), named.alias_or_name
        column = columns.get(name)
        if column is not None:
            wanted, own = type_at(column), type_at(value)
            bare = unwrapped(value)
            if wanted is None or (own is None and not isinstance(bare, exp.Null)):
                raise NotAnswerable("The type of a UNION's column is not known.")
            # A bare number among the keys would be read as the position of a column.
            literal = isinstance(bare, (exp.Literal, exp.Null, exp.Neg)) and name in in_keys
            alike = wanted == own or (own is not None and wanted.base == own.base == "varchar")
            if literal or not alike:
                value = cast_to(value, str(wanted))
        items.append(exp.alias_(value, name, quoted=True))
    new.set("expressions", items)
    return new
