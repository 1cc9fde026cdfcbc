"""Groups, order and windows: rows are gathered, ranked or cut differently."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from dev_scripts.mutants.kinds import Change, Kind, number, owner, setting, without, wrapped


def _keys(node: exp.Expr) -> list[exp.Expr]:
    group = node.args.get("group") if isinstance(node, exp.Select) else None
    return list(group.expressions) if group is not None else []


def _plain_keys(node: exp.Expr) -> list[int]:
    """Places of GROUP BY keys that are columns."""
    return [place for place, key in enumerate(_keys(node)) if isinstance(key, exp.Column)]


def _with_condition(select: exp.Expr, condition: exp.Expr) -> exp.Expr:
    where = select.args.get("where")
    full = condition if where is None else exp.And(this=wrapped(where.this), expression=condition)
    select.set("where", exp.Where(this=full))
    return select


def _dimension_left_out(node: exp.Expr) -> Iterator[Change]:
    """A key goes from GROUP BY; where it is shown, one of its values stands."""
    places = _plain_keys(node)
    for place in places if len(_keys(node)) > 1 else ():

        def change(select: exp.Expr, place: int = place) -> exp.Expr:
            key = select.args["group"].expressions[place]
            for part in [*select.expressions, select.args.get("having"), select.args.get("order")]:
                for column in list(part.find_all(exp.Column)) if part is not None else ():
                    if (
                        column == key
                        and owner(column) is select
                        and column.find_ancestor(exp.AggFunc, exp.Filter) is None
                    ):
                        column.replace(exp.Max(this=column.copy()))
            kept = [each.copy() for index, each in enumerate(select.args["group"].expressions) if index != place]
            select.args["group"].set("expressions", kept)
            return select

        yield change


def _dimension_added(node: exp.Expr) -> Iterator[Change]:
    keys = _keys(node)
    if not keys or not isinstance(node, exp.Select):
        return
    known = {key.sql() for key in keys}
    columns = {column.sql(): column for column in node.find_all(exp.Column) if column.table and owner(column) is node}
    for text in [text for text in sorted(columns) if text not in known][:2]:

        def change(select: exp.Expr, text: str = text) -> exp.Expr:
            select.args["group"].append("expressions", columns[text].copy())
            return select

        yield change


def _level_lost(node: exp.Expr) -> Iterator[Change]:
    if not isinstance(node, (exp.GroupingSets, exp.Rollup, exp.Cube)) or len(node.expressions) < 2:
        return
    if isinstance(node, exp.GroupingSets):
        for place in range(len(node.expressions)):
            yield without("expressions", place)
    else:
        yield lambda node: exp.GroupingSets(expressions=_levels(node)[:-1])
        yield lambda node: exp.GroupingSets(expressions=_levels(node)[1:])


def _levels(node: exp.Expr) -> list[exp.Expr]:
    """The levels of a ROLLUP; of a CUBE as many."""
    keys = node.expressions
    return [exp.Tuple(expressions=[key.copy() for key in keys[:size]]) for size in range(len(keys), -1, -1)]


def _null_group_lost(node: exp.Expr) -> Iterator[Change]:
    for place in _plain_keys(node):
        yield _only_with(_keys(node)[place].copy())


def _only_with(key: exp.Expr) -> Change:
    known = exp.Not(this=exp.Is(this=key, expression=exp.null()))
    return lambda select: _with_condition(select, known.copy())


def _empty_group_lost(node: exp.Expr) -> Iterator[Change]:
    if not isinstance(node, exp.Select) or node.args.get("group") is not None or node.args.get("having") is not None:
        return
    calls = [call for item in node.expressions for call in item.find_all(exp.AggFunc) if owner(call) is node]
    if any(not isinstance(call.parent, exp.Window) for call in calls):
        counted = exp.GT(this=exp.Count(this=exp.Star(), big_int=True), expression=number(0))
        yield setting("having", exp.Having(this=counted))


def _limit_off(node: exp.Expr) -> Iterator[Change]:
    for part in ("limit", "fetch"):
        limit = node.args.get(part) if isinstance(node, exp.Query) else None
        size = limit.args.get("expression") or limit.args.get("count") if limit is not None else None
        if isinstance(size, exp.Literal) and size.this.isdigit():
            for step in (1, -1):
                yield _with_limit(part, step)


def _with_limit(part: str, step: int) -> Change:
    def change(query: exp.Expr) -> exp.Expr:
        limit = query.args[part]
        name = "expression" if limit.args.get("expression") is not None else "count"
        limit.set(name, number(max(0, int(limit.args[name].this) + step)))
        return query

    return change


def _limit_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Query) and node.args.get("limit") is not None:
        yield setting("limit", None)


def _in_window(node: exp.Expr) -> bool:
    return isinstance(node, exp.Ordered) and isinstance(node.parent and node.parent.parent, exp.Window)


def _direction(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Ordered) and not _in_window(node):
        yield lambda node: setting("desc", not node.args.get("desc"))(node)


def _nulls(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Ordered):
        yield lambda node: setting("nulls_first", not node.args.get("nulls_first"))(node)


def _tie_order(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Order) and len(node.expressions) > 1:
        yield lambda node: setting("expressions", [key.copy() for key in node.expressions[:-1]])(node)
        yield lambda node: setting("expressions", [key.copy() for key in reversed(node.expressions)])(node)


def _window_direction(node: exp.Expr) -> Iterator[Change]:
    if _in_window(node):
        yield lambda node: setting("desc", not node.args.get("desc"))(node)


def _window_partition(node: exp.Expr) -> Iterator[Change]:
    keys = node.args.get("partition_by") or [] if isinstance(node, exp.Window) else []
    for place in range(len(keys)):
        yield without("partition_by", place)


def _window_frame(node: exp.Expr) -> Iterator[Change]:
    if not isinstance(node, exp.Window) or isinstance(node.this, (exp.Rank, exp.RowNumber, exp.DenseRank)):
        return
    if node.args.get("spec") is not None:
        yield setting("spec", None)
    elif node.args.get("order") is not None and isinstance(node.this, exp.AggFunc):
        yield setting(
            "spec",
            exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end=number(1), end_side="PRECEDING"),
        )
        yield setting(
            "spec",
            exp.WindowSpec(
                kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="UNBOUNDED", end_side="FOLLOWING"
            ),
        )


def _frame_off(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.WindowSpec):
        for part in ("start", "end"):
            size = node.args.get(part)
            if isinstance(size, exp.Literal) and size.this.isdigit():
                yield setting(part, number(int(size.this) + 1))


def _rank(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Rank):
        yield lambda node: exp.RowNumber()
        yield lambda node: exp.DenseRank()
    if isinstance(node, (exp.RowNumber, exp.DenseRank)):
        yield lambda node: exp.Rank()


def _lag(node: exp.Expr) -> Iterator[Change]:
    if type(node) in (exp.Lag, exp.Lead):
        yield setting("offset", number(2))
        yield lambda node: (exp.Lead if type(node) is exp.Lag else exp.Lag)(**node.args)


KINDS = (
    Kind("dimension left out", _dimension_left_out),
    Kind("dimension added", _dimension_added),
    Kind("level of GROUPING SETS lost", _level_lost),
    Kind("NULL group lost", _null_group_lost),
    Kind("empty group lost", _empty_group_lost),
    Kind("LIMIT off by one", _limit_off),
    Kind("LIMIT dropped", _limit_dropped),
    Kind("order turned", _direction),
    Kind("NULLS FIRST and LAST", _nulls),
    Kind("order of ties", _tie_order),
    Kind("window order turned", _window_direction),
    Kind("window key dropped", _window_partition),
    Kind("window frame", _window_frame),
    Kind("window frame off by one", _frame_off),
    Kind("another rank", _rank),
    Kind("LAG and LEAD", _lag),
)
