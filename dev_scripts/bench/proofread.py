"""Prints a query of DuckDB as Trino SQL that means the same, where sqlglot alone does not.

What differs, each found by EXPLAIN on a Trino or by comparing rows:
    - a string is no date: `d_date = '2000-01-03'` needs a cast (the same in BETWEEN and IN);
    - `date + 5` is an interval of days;
    - `/` of integers or decimals is a double in DuckDB;
    - GROUP BY does not know an output's alias;
    - grouping() in ORDER BY may not name a column that is also an output: the output's alias is said instead;
    - concat() of strings that are never NULL is `||`, not four COALESCEs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlglot import exp, parse_one

COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def trino_text(text: str, types: Mapping[str, str]) -> str:
    """The query as Trino SQL.

    Args:
        text: DuckDB's text.
        types: Trino type by column name; a name means one type in the whole schema.
    """
    tree = parse_one(text, read="duckdb")
    days = {name for name, kind in types.items() if kind == "date"}
    for division in list(tree.find_all(exp.Div)):
        _divide_as_double(division)
    for comparison in list(tree.find_all(exp.Between, exp.In, *COMPARED)):
        _compare_as_date(comparison, days)
    for sum_ in list(tree.find_all(exp.Add, exp.Sub)):
        _add_days(sum_, days)
    for joined in list(tree.find_all(exp.Concat)):
        _join_strings(joined)
    for select in list(tree.find_all(exp.Select)):
        _name_groups(select)
        _name_orders(select)
    return tree.sql(dialect="trino", pretty=True, comments=False)


def _divide_as_double(node: exp.Div) -> None:
    node.set("typed", True)
    if not (isinstance(node.this, exp.Cast) and node.this.is_type(exp.DataType.Type.DOUBLE)):
        node.set("this", exp.cast(node.this, exp.DataType.Type.DOUBLE))


def _compare_as_date(node: exp.Expr, days: set[str]) -> None:
    """Casts the strings that a date column is compared with."""
    operands = [part for part in node.iter_expressions() if isinstance(part, exp.Expr)]
    if not any(isinstance(part, exp.Column) and part.name.lower() in days for part in operands):
        return
    for part in operands:
        if isinstance(part, exp.Literal) and part.is_string and _is_date(part.this):
            part.replace(exp.cast(part.copy(), exp.DataType.Type.DATE))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _add_days(node: exp.Expr, days: set[str]) -> None:
    column, number = node.this, node.expression
    if isinstance(column, exp.Column) and column.name.lower() in days and number.is_int:
        node.set("expression", exp.Interval(this=exp.Literal.string(number.name), unit=exp.var("DAY")))


def _join_strings(node: exp.Concat) -> None:
    first, *rest = [part.copy() for part in node.expressions]
    joined = first
    for part in rest:
        joined = exp.DPipe(this=joined, expression=part, safe=False)
    node.replace(joined)


def _name_groups(node: exp.Select) -> None:
    """`GROUP BY alias` becomes the aliased expression."""
    group = node.args.get("group")
    if group is None:
        return
    outputs = {item.alias.lower(): item.this for item in node.selects if isinstance(item, exp.Alias)}
    for key in list(group.expressions):
        # A base column of that name would win; the standard texts have none.
        if isinstance(key, exp.Column) and not key.table and key.name.lower() in outputs:
            found = outputs[key.name.lower()]
            if not (isinstance(found, exp.Column) and found.name.lower() == key.name.lower()):
                key.replace(found.copy())


def _name_orders(node: exp.Select) -> None:
    """An expression with grouping() in ORDER BY becomes the alias of the output that computes it."""
    order = node.args.get("order")
    if order is None:
        return
    for item in node.selects:
        if isinstance(item, exp.Alias) and item.find(exp.Grouping):
            for part in list(order.find_all(type(item.this))):
                if part == item.this:
                    part.replace(exp.column(item.alias))
