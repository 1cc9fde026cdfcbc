"""Where a query compares a literal with something that is not constant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified

MAX_DEPTH = 25
OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
PATTERNS = (exp.Like, exp.ILike, exp.RegexpLike)
WRAPPERS = (exp.Paren, exp.Cast, exp.TryCast, exp.Neg, exp.Date, exp.TsOrDsToDate, exp.Add, exp.Sub)
NOT_CONSTANT = (exp.Column, exp.Query, exp.AggFunc, exp.Window, exp.CurrentDate, exp.CurrentTimestamp)


@dataclass(frozen=True)
class Site:
    """A literal of a query's text.

    Attributes:
        start, end: Its place in the text.
        raw: As it is written, quotes included.
        subject: What it is compared with, in base columns `table.column`; None for a LIMIT.
        operator: `=`, `<>`, `<`, `<=`, `>`, `>=`, `in`, `not in`, `like` or `limit`.
        clause: WHERE, JOIN, HAVING, LIMIT, or SELECT for everything else.
    """

    start: int
    end: int
    raw: str
    subject: exp.Expr | None
    operator: str
    clause: str

    @property
    def is_string(self) -> bool:
        """Whether it is written in quotes."""
        return self.raw.startswith("'")

    @property
    def value(self) -> str | int | float:
        """The literal's value."""
        if self.is_string:
            return self.raw[1:-1].replace("''", "'")
        return int(self.raw) if self.raw.isdigit() else float(self.raw)

    @property
    def key(self) -> str:
        """The subject's text without its own literals: sites of one key move together."""
        if self.subject is None:
            return f"limit@{self.start}"
        tree = self.subject.copy().transform(lambda node: exp.Placeholder() if isinstance(node, exp.Literal) else node)
        return tree.sql(dialect="trino").lower()

    @property
    def columns(self) -> tuple[str, ...]:
        """The base columns of the subject, `table.column`."""
        if self.subject is None:
            return ()
        return tuple(sorted({f"{column.table}.{column.name}" for column in self.subject.find_all(exp.Column)}))


def find_sites(sql: str, catalog: Catalog) -> list[Site]:
    """All sites of a query, in no particular order; one place of the text comes once.

    Raises:
        SqlProblem: The text cannot be resolved.
    """
    tree = qualified(sql, catalog)
    found: dict[int, Site] = {}
    for scope in traverse_scope(tree):
        if isinstance(scope.expression, exp.Select):
            for site in _sites_of(scope, sql):
                # A copy in SELECT (GROUP BY 1 was expanded) must not hide that the literal also stands in WHERE.
                if site.start not in found or found[site.start].clause == "SELECT":
                    found[site.start] = site
    limit = tree.args.get("limit")
    if limit is not None and not isinstance(tree, exp.Select):
        for site in _site(limit.expression, None, "limit", "LIMIT", sql):
            found[site.start] = site
    return list(found.values())


def _sites_of(scope: Scope, sql: str) -> Iterator[Site]:
    select = scope.expression
    for node in scope.walk():
        if isinstance(node, exp.Limit) and node.parent is select:
            yield from _site(node.expression, None, "limit", "LIMIT", sql)
        elif node.find_ancestor(exp.Select) is select:
            yield from _compared(node, scope, sql)


def _compared(node: exp.Expr, scope: Scope, sql: str) -> Iterator[Site]:
    select = scope.expression
    if isinstance(node, PATTERNS):
        yield from _site(node.expression, _expand(node.this, scope), "like", _clause(node, select), sql)
    elif isinstance(node, exp.In) and node.expressions and not _is_constant(node.this):
        subject = _expand(node.this, scope)
        operator = "not in" if isinstance(node.parent, exp.Not) else "in"
        for member in node.expressions:
            yield from _site(member, subject, operator, _clause(node, select), sql)
    elif isinstance(node, exp.Between) and not _is_constant(node.this):
        subject = _expand(node.this, scope)
        for part, operator in (("low", ">="), ("high", "<=")):
            yield from _site(node.args[part], subject, operator, _clause(node, select), sql)
    elif type(node) in OPERATORS:
        operator = OPERATORS[type(node)]
        left, right = node.this, node.expression
        if _is_constant(right) and not _is_constant(left):
            yield from _site(right, _expand(left, scope), operator, _clause(node, select), sql)
        elif _is_constant(left) and not _is_constant(right):
            turned = MIRRORED.get(operator, operator)
            yield from _site(left, _expand(right, scope), turned, _clause(node, select), sql)


def _site(value: exp.Expr, subject: exp.Expr | None, operator: str, clause: str, sql: str) -> Iterator[Site]:
    literal = _base_literal(value) if _is_constant(value) else None
    start = literal.meta.get("start") if literal is not None else None
    if literal is not None and start is not None:
        end = literal.meta["end"] + 1
        yield Site(start, end, sql[start:end], subject, operator, clause)


def _base_literal(value: exp.Expr) -> exp.Literal | None:
    """The literal that a constant starts from: of `2001 + 1` the 2001, of a date plus an INTERVAL the date."""
    while not isinstance(value, exp.Literal):
        if not isinstance(value, WRAPPERS):
            return None
        value = value.this
    return value


def _is_constant(node: exp.Expr) -> bool:
    return not isinstance(node, NOT_CONSTANT) and node.find(*NOT_CONSTANT) is None


def _clause(node: exp.Expr, select: exp.Expr) -> str:
    at: exp.Expr | None = node
    while at is not None and at is not select:
        if isinstance(at, exp.Where):
            return "WHERE" if at.parent is select else "SELECT"  # of FILTER (WHERE …)
        if isinstance(at, exp.Having):
            return "HAVING"
        if isinstance(at, exp.Join):
            return "JOIN"
        at = at.parent
    return "SELECT"


def _expand(node: exp.Expr, scope: Scope, depth: int = 0) -> exp.Expr:
    """The expression in base columns: what stands behind aliases of subqueries and CTEs is put in their place."""
    node = node.copy()
    if isinstance(node, exp.Column):
        return _origin(node, scope, depth)
    for column in list(node.find_all(exp.Column)):
        column.replace(_origin(column, scope, depth))
    return node


def _origin(column: exp.Column, scope: Scope, depth: int) -> exp.Expr:
    at: Scope | None = scope
    while at is not None and column.table not in at.sources:
        at = at.parent  # a correlated column belongs to a query around this one
    source = at.sources[column.table] if at is not None else None
    if isinstance(source, exp.Table):
        return exp.column(column.name.lower(), table=source.name.lower())
    if isinstance(source, Scope) and depth < MAX_DEPTH:
        found = _output(source, column.name)
        if found is not None:
            return _expand(found[0], found[1], depth + 1)
    return exp.column(column.name.lower())


def _output(source: Scope, name: str) -> tuple[exp.Expr, Scope] | None:
    """The expression of an output and the scope that it stands in; of a UNION, its first branch's."""
    place: int | None = None
    names = [str(item.alias_or_name) for item in getattr(source.expression, "selects", [])]
    if name in names:
        place = names.index(name)
    while isinstance(source.expression, exp.SetOperation) and source.set_operation_scopes:
        source = source.set_operation_scopes[0]
    selects = getattr(source.expression, "selects", [])
    return (selects[place].unalias(), source) if place is not None and place < len(selects) else None
