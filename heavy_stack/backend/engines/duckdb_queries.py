"""SELECT, set operations and sources."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.engines.duckdb_aggregates import window_text
from heavy_stack.backend.engines.duckdb_predicates import checked_together
from heavy_stack.backend.engines.duckdb_writer import Handler, Writer, integer_literal, kind_of, quoted

_SELECT_PARTS = frozenset(
    [
        "expressions",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "order",
        "limit",
        "offset",
        "distinct",
        "with_",
        "windows",
    ]
)
_SET_PARTS = frozenset(["this", "expression", "distinct", "with_", "order", "limit", "offset"])
_SUBQUERY_PARTS = frozenset(["this", "alias", "order", "limit", "offset", "with_"])


def _check_parts(node: exp.Expr, allowed: frozenset[str]) -> None:
    for part, value in node.args.items():
        if part not in allowed and value not in (None, False, []):
            raise NotCheckable(f"{part.strip('_').replace('_', ' ').upper()} is not checked on the embedded engine")


def _select(writer: Writer, node: exp.Expr) -> str:
    if not isinstance(node, exp.Select):
        raise NotCheckable("a query")
    _check_parts(node, _SELECT_PARTS)
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        raise NotCheckable("DISTINCT ON")
    parts = [_with(writer, node), "SELECT DISTINCT" if distinct is not None else "SELECT"]
    parts.append(", ".join(writer.write_all(node.expressions)))
    parts.append(_from(writer, node))
    where, having = node.args.get("where"), node.args.get("having")
    if where is not None:
        parts.append(f"WHERE {writer.write(where.this)}")
    group = node.args.get("group")
    if group is not None:
        parts.append(_group(writer, group))
    if having is not None:
        parts.append(f"HAVING {writer.write(having.this)}")
    windows = node.args.get("windows") or []
    if windows:
        named = ", ".join(f"{quoted(window.name)} AS {window_text(writer, window)}" for window in windows)
        parts.append(f"WINDOW {named}")
    parts.append(_limited(writer, node))
    return " ".join(part for part in parts if part)


def _with(writer: Writer, node: exp.Expr) -> str:
    with_ = node.args.get("with_")
    if with_ is None:
        return ""
    if with_.args.get("recursive") or with_.args.get("udfs"):
        raise NotCheckable("WITH RECURSIVE or WITH FUNCTION")
    written = []
    for cte in with_.expressions:
        if cte.args["alias"].columns:
            raise NotCheckable("a column list that is not resolved")
        written.append(f"{quoted(cte.alias)} AS ({writer.write(cte.this)})")
    return f"WITH {', '.join(written)}"


def _from(writer: Writer, node: exp.Select) -> str:
    source = node.args.get("from_")
    if source is None:
        return ""
    return f"FROM {_source(writer, source.this)}{_joins(writer, node)}"


def _joins(writer: Writer, node: exp.Expr) -> str:
    return "".join(_join(writer, join) for join in node.args.get("joins") or [])


def _join(writer: Writer, join: exp.Expr) -> str:
    side, kind = (str(join.args.get(part) or "").upper() for part in ("side", "kind"))
    method, on = join.args.get("method"), join.args.get("on")
    if method or join.args.get("using") or side not in ("", "LEFT", "RIGHT", "FULL"):
        raise NotCheckable("a join that is not resolved")
    if kind not in ("", "INNER", "OUTER", "CROSS"):
        raise NotCheckable(f"{kind} JOIN")
    source = _source(writer, join.this)
    if on is None:
        if side:
            raise NotCheckable("an outer join without a condition")
        # A comma binds more loosely than JOIN, so it stays a comma.
        return f" CROSS JOIN {source}" if kind == "CROSS" else f", {source}"
    return f" {side or 'INNER'} JOIN {source} ON {writer.write(on)}"


def _source(writer: Writer, node: exp.Expr) -> str:
    if isinstance(node, exp.Table):
        return _table(writer, node)
    if isinstance(node, exp.Subquery):
        if isinstance(node.this, (exp.Table, exp.Subquery)) and not node.alias:
            return f"({_source(writer, node.this)})"
        _check_parts(node, frozenset({"this", "alias"}))
        if node.args["alias"].columns:
            raise NotCheckable("a column list that is not resolved")
        return f"({writer.write(node.this)}) AS {quoted(node.alias)}"
    if isinstance(node, exp.Values):
        return _values(writer, node)
    if isinstance(node, exp.Unnest):
        return _unnest(writer, node)
    raise NotCheckable(f"{type(node).__name__.upper()} as a source")


def _table(writer: Writer, node: exp.Table) -> str:
    _check_parts(node, frozenset({"this", "db", "catalog", "alias", "joins"}))
    alias = node.args.get("alias")
    if not isinstance(node.this, exp.Identifier) or (alias is not None and alias.columns):
        raise NotCheckable("a table function, or a table with a column list")
    name = ".".join(quoted(part.name) for part in node.parts)
    if writer.relation is not None and node.db:  # without a schema it is a CTE
        own = f"{writer.relation(name)} AS {quoted(node.alias_or_name)}"
    else:
        own = f"{name} AS {quoted(node.alias)}" if node.alias else name
    joins = _joins(writer, node)
    return f"{own}{joins}"


def _column_list(node: exp.Expr) -> tuple[str, list[str]]:
    alias = node.args.get("alias")
    columns = [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if not columns or not node.alias:
        raise NotCheckable(f"{type(node).__name__.upper()} without names for its columns")
    return node.alias, columns


def _values(writer: Writer, node: exp.Values) -> str:
    _check_parts(node, frozenset({"expressions", "alias"}))
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
    for row in rows[1:]:
        for first, other in zip(rows[0], row, strict=True):
            checked_together(first, other)
    written = ", ".join(f"({', '.join(writer.write_all(row))})" for row in rows)
    name, columns = _column_list(node)
    return f"(VALUES {written}) AS {quoted(name)}({', '.join(map(quoted, columns))})"


def _unnest(writer: Writer, node: exp.Unnest) -> str:
    """UNNEST of a constant array or SEQUENCE."""
    _check_parts(node, frozenset({"expressions", "alias"}))
    name, columns = _column_list(node)
    array = node.expressions[0] if len(node.expressions) == 1 and len(columns) == 1 else None
    if isinstance(array, exp.GenerateSeries) and array.args.get("step") is None:
        start, end = integer_literal(array.args.get("start")), integer_literal(array.args.get("end"))
        if start is not None and end is not None and start <= end:
            items = f"GENERATE_SERIES(CAST({start} AS BIGINT), CAST({end} AS BIGINT))"
            return f"(SELECT UNNEST({items}) AS {quoted(columns[0])}) AS {quoted(name)}"
    if isinstance(array, exp.Array) and array.expressions and not any(array.find_all(exp.Column, exp.Query)):
        kind_of(array)
        items = f"[{', '.join(writer.write_all(array.expressions))}]"
        return f"(SELECT UNNEST({items}) AS {quoted(columns[0])}) AS {quoted(name)}"
    raise NotCheckable("UNNEST of other than a constant array or SEQUENCE")


def _group(writer: Writer, group: exp.Expr) -> str:
    _check_parts(group, frozenset({"expressions", "grouping_sets", "cube", "rollup"}))
    parts = [_grouped(writer, item) for item in group.expressions]
    for part in ("grouping_sets", "cube", "rollup"):
        parts.extend(_grouped(writer, item) for item in group.args.get(part) or [])
    return f"GROUP BY {', '.join(parts)}"


_GROUPING_WORDS: dict[type[exp.Expr], str] = {
    exp.GroupingSets: "GROUPING SETS ",
    exp.Cube: "CUBE ",
    exp.Rollup: "ROLLUP ",
    exp.Tuple: "",
}


def _grouped(writer: Writer, node: exp.Expr) -> str:
    word = _GROUPING_WORDS.get(type(node))
    if word is None:
        return writer.write(node)
    return f"{word}({', '.join(_grouped(writer, item) for item in node.expressions)})"


def _limited(writer: Writer, node: exp.Expr) -> str:
    """ORDER BY, LIMIT and OFFSET. Trino drops an order within a query that nothing cuts."""
    order, limit, offset = (node.args.get(part) for part in ("order", "limit", "offset"))
    parts: list[str] = []
    count = _count(limit)
    outermost = node.parent is None
    if isinstance(limit, exp.Fetch) and _with_ties(limit):
        parts.append(_ties(writer, node, count))
        count = None
        if offset is not None:
            raise NotCheckable("OFFSET with FETCH … WITH TIES")
    if order is not None and (outermost or count is not None or offset is not None):
        parts.append(f"ORDER BY {', '.join(writer.write_all(order.expressions))}")
    if count is not None:
        parts.append(f"LIMIT {count}")
    if offset is not None:
        number = integer_literal(offset.args.get("expression"))
        if number is None:
            raise NotCheckable("a computed OFFSET")
        parts.append(f"OFFSET {number}")
    return " ".join(parts)


def _count(limit: exp.Expr | None) -> int | None:
    """The number of rows; None without a limit (LIMIT ALL too)."""
    if limit is None:
        return None
    expression = limit.args.get("count" if isinstance(limit, exp.Fetch) else "expression")
    if isinstance(limit, exp.Fetch) and expression is None:
        return 1
    if isinstance(expression, (exp.Column, exp.Var)) and expression.name.upper() == "ALL":
        return None
    number = integer_literal(expression)
    if number is None:
        raise NotCheckable("a computed LIMIT")
    return number


def _with_ties(fetch: exp.Fetch) -> bool:
    options = fetch.args.get("limit_options")
    return options is not None and bool(options.args.get("with_ties"))


def _ties(writer: Writer, node: exp.Expr, count: int | None) -> str:
    order = node.args.get("order")
    if not isinstance(node, exp.Select) or order is None or count is None or node.args.get("distinct") is not None:
        raise NotCheckable("FETCH … WITH TIES in this place")
    outputs = {item.alias_or_name: item.unalias() for item in node.expressions}
    keys = []
    for item in order.expressions:
        key = item.copy()
        inner = key.this
        if isinstance(inner, exp.Column) and not inner.table:
            if inner.name not in outputs:
                raise NotCheckable("FETCH … WITH TIES in this place")
            key.set("this", outputs[inner.name].copy())
        elif any(not column.table for column in inner.find_all(exp.Column)):
            raise NotCheckable("FETCH … WITH TIES in this place")
        keys.append(writer.write(key))
    return f"QUALIFY RANK() OVER (ORDER BY {', '.join(keys)}) <= {count}"


_SET_WORDS: dict[type[exp.Expr], str] = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}


def _set_operation(writer: Writer, node: exp.Expr) -> str:
    """A left-deep chain of one operation is written flat; other operands stand in parentheses."""
    if not isinstance(node, exp.SetOperation):
        raise NotCheckable("a set operation")
    operands: list[exp.Expr] = []
    at: exp.Expr = node
    while type(at) is type(node) and (at is node or (_same_kind(at, node) and not _modified(at))):
        _check_parts(at, _SET_PARTS)
        operands.append(at.args["expression"])
        at = at.this
    operands.append(at)
    operands.reverse()
    first = _selects(operands[0])
    for operand in operands[1:]:
        others = _selects(operand)
        if len(first) != len(others):
            raise NotCheckable("a set operation of unequal width")
        for one, other in zip(first, others, strict=True):
            checked_together(one, other)
    word = f" {_SET_WORDS[type(node)]}{'' if node.args.get('distinct') else ' ALL'} "
    written = word.join(f"({writer.write(_bare(operand))})" for operand in operands)
    tail = _limited(writer, node)
    return " ".join(part for part in (_with(writer, node), written, tail) if part)


def _same_kind(one: exp.Expr, other: exp.Expr) -> bool:
    return bool(one.args.get("distinct")) == bool(other.args.get("distinct"))


def _modified(node: exp.Expr) -> bool:
    return any(node.args.get(part) is not None for part in ("with_", "order", "limit", "offset"))


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Subquery) and not _modified(node) and isinstance(node.this, exp.Query):
        node = node.this
    return node


def _selects(node: exp.Expr) -> list[exp.Expr]:
    return list(node.selects) if isinstance(node, exp.Query) else []


def _subquery(writer: Writer, node: exp.Expr) -> str:
    """A query in parentheses within an expression."""
    _check_parts(node, _SUBQUERY_PARTS)
    if _modified(node):
        raise NotCheckable("a limit around a query in parentheses")
    return f"({writer.write(node.this)})"


QUERIES: dict[type[exp.Expr], Handler] = {
    exp.Select: _select,
    exp.Union: _set_operation,
    exp.Except: _set_operation,
    exp.Intersect: _set_operation,
    exp.Subquery: _subquery,
}
