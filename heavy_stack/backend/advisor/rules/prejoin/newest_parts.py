"""The parts of a SELECT that ask for a key's newest row, recognised one by one; `newest_rows.py` puts them together."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.trees import conjuncts, is_volatile, joined, unwrapped

_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank)


def derived(body: exp.Select, alias: str) -> exp.Subquery:
    """A SELECT as a source of a FROM."""
    return exp.Subquery(this=body, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))


def extreme_call(item: exp.Expr) -> tuple[bool, exp.Column] | None:
    """(greatest rather than least, column) of a plain MAX or MIN of a column."""
    call = unwrapped(item.this) if isinstance(item, exp.Alias) else item
    if not isinstance(call, (exp.Max, exp.Min)) or call.args.get("expressions"):
        return None
    value = unwrapped(call.this)
    return (isinstance(call, exp.Max), value) if isinstance(value, exp.Column) else None


def computes_over_rows(value: exp.Expr) -> bool:
    """Whether a value is more than a function of its own row."""
    kinds = (exp.AggFunc, exp.Window, exp.Query)
    return is_volatile(value) or any(isinstance(node, kinds) for node in value.walk())


def only_window(body: exp.Select) -> exp.Alias | None:
    """The projection that numbers rows, where it is the only window."""
    windows = list(body.find_all(exp.Window))
    found = windows[0].parent if len(windows) == 1 else None
    if not isinstance(found, exp.Alias) or not isinstance(windows[0].this, _RANKS) or windows[0].args.get("spec"):
        return None
    return found


def asked_for_one(select: exp.Select, alias: str, name: str, join: exp.Join | None) -> exp.Expr | None:
    """The condition `number = 1`, where it decides about the source's rows before anything else sees them."""
    if join is not None and join.side:
        parts: Iterator[exp.Expr] = iter(conjuncts(join.args.get("on")))
    else:
        parts = inner_conditions(select)
    for part in parts:
        if not isinstance(part, (exp.EQ, exp.LTE, exp.LT)):
            continue
        one, two = unwrapped(part.this), unwrapped(part.expression)
        if isinstance(part, exp.EQ) and isinstance(one, exp.Literal):
            one, two = two, one
        if not isinstance(one, exp.Column) or (one.table, one.name) != (alias, name):
            continue
        if isinstance(two, exp.Literal) and not two.is_string and two.this == ("2" if type(part) is exp.LT else "1"):
            return part
    return None


def inner_conditions(select: exp.Select) -> Iterator[exp.Expr]:
    """The conditions of WHERE and of inner joins."""
    where = select.args.get("where")
    yield from conjuncts(where.this if where is not None else None)
    for join in select.args.get("joins") or []:
        if not join.side:
            yield from conjuncts(join.args.get("on"))


def drop_condition(select: exp.Select, part: exp.Expr) -> None:
    """Take one condition out of the WHERE or ON that it stands in, in place."""
    where = select.args.get("where")
    parts = conjuncts(where.this if where is not None else None)
    if any(each is part for each in parts):
        kept = [each for each in parts if each is not part]
        select.set("where", exp.Where(this=joined(kept)) if kept else None)
        return
    for join in select.args.get("joins") or []:
        parts = conjuncts(join.args.get("on"))
        if any(each is part for each in parts):
            kept = [each for each in parts if each is not part]
            join.set("on", joined(kept) if kept else exp.true() if join.side else None)
            if not kept and not join.side:
                join.set("kind", "CROSS")
            return
