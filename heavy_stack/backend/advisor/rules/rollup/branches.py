"""An aggregate's argument as a tree of cases: which part of its conditions is decided per group, which per row.

With `month` a dimension, `SUM(CASE WHEN flag = 1 AND month = 12 THEN x END)` is `CASE WHEN month = 12 THEN S END`
summed over groups, where S is the stored `SUM(x) FILTER (WHERE flag = 1)`: a literal that moves never enters a table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    conjuncts,
    is_case_branch,
    is_constant,
    joined,
    own_nodes,
    rebuilt,
    terms,
    text_of,
    unwrapped,
)

MAX_LEAVES = 40
"""More cases than this would make a rewritten aggregate slower to plan than it is to run."""

Moves = Callable[[exp.Expr], bool]


@dataclass(frozen=True)
class Leaf:
    """What is aggregated in one case: `value` (None: nothing) over the rows where all `conditions` are true."""

    value: exp.Expr | None
    conditions: tuple[exp.Expr, ...] = ()


@dataclass(frozen=True)
class Branch:
    """`condition` is decided per group."""

    condition: exp.Expr
    yes: Tree
    no: Tree


Tree = Leaf | Branch


def leaves(tree: Tree) -> list[Leaf]:
    """The leaves from left to right."""
    return [tree] if isinstance(tree, Leaf) else leaves(tree.yes) + leaves(tree.no)


def conditions(tree: Tree) -> list[exp.Expr]:
    """The conditions decided per group."""
    return [] if isinstance(tree, Leaf) else [tree.condition, *conditions(tree.yes), *conditions(tree.no)]


def split(value: exp.Expr, moves: Moves) -> Tree:
    """The tree of a row expression. `moves`: whether a condition must be decided per group.

    Raises:
        NotAnswerable: A moving literal stands where no case can be made of it, or there are too many cases.
    """
    return _split(_searched(value, moves), moves, [MAX_LEAVES])


def _split(value: exp.Expr, moves: Moves, left: list[int]) -> Tree:
    found = _first_moving(value, moves)
    if found is None:
        left[0] -= 1
        if left[0] < 0:
            raise NotAnswerable("An aggregate distinguishes too many cases.")
        if moves(value):
            why = "An aggregate computes with a value that moves, or with another source's, outside any condition."
            raise NotAnswerable(why)
        return _leaf(value, ())
    condition, yes, no = found
    return Branch(condition, _split(yes, moves, left), _split(no, moves, left))


def _leaf(value: exp.Expr, given: tuple[exp.Expr, ...]) -> Leaf:
    """`CASE WHEN c THEN v END` aggregates v where c: the same as a FILTER, and shared with it."""
    bare = unwrapped(value)
    if isinstance(bare, exp.Null):
        return Leaf(None)
    if isinstance(bare, exp.Case) and len(bare.args["ifs"]) == 1:
        default = bare.args.get("default")
        if default is None or isinstance(unwrapped(default), exp.Null):
            branch = bare.args["ifs"][0]
            return _leaf(branch.args["true"], (*given, *conjuncts(branch.this)))
    return Leaf(bare, given)


def _searched(value: exp.Expr, moves: Moves) -> exp.Expr:
    """A copy with IF, simple CASE and moving NULLIF as searched CASE, and NOT pushed down to single tests."""
    bare = unwrapped(value)
    if isinstance(bare, exp.Query):
        return bare.copy()

    def change(child: exp.Expr) -> exp.Expr:
        changed = _searched(child, moves)
        return exp.Paren(this=changed) if isinstance(child, exp.Paren) else changed

    new = rebuilt(bare, change)
    kind = bare.type
    if isinstance(new, exp.Nullif):
        if not moves(bare) or not is_constant(new.expression):
            return new
        test = exp.EQ(this=_operand(new.this), expression=_operand(new.expression))
        new = exp.Case(ifs=[exp.If(this=test, true=exp.Null())], default=new.this)
    elif isinstance(new, exp.If) and not is_case_branch(bare):
        new = exp.Case(ifs=[exp.If(this=new.this, true=new.args["true"])], default=new.args.get("false"))
    elif isinstance(new, exp.Case) and new.this is not None:
        subject = _operand(new.this)
        ifs = [
            exp.If(this=exp.EQ(this=subject.copy(), expression=_operand(branch.this)), true=branch.args["true"])
            for branch in new.args["ifs"]
        ]
        new = exp.Case(ifs=ifs, default=new.args.get("default"))
    if isinstance(new, exp.Case):
        for branch in new.args["ifs"]:
            branch.set("this", _negations_inside(branch.this))
    new.type = kind
    return new


def _operand(node: exp.Expr) -> exp.Expr:
    copied = node.copy()
    return exp.Paren(this=copied) if isinstance(copied, (exp.Binary, exp.Predicate, exp.Unary)) else copied


def _negations_inside(condition: exp.Expr) -> exp.Expr:
    """NOT (a AND b) as NOT a OR NOT b: true in the same rows, NULLs included, and the tests stand in a chain."""
    bare = unwrapped(condition)
    if isinstance(bare, (exp.And, exp.Or)):
        kind = exp.And if isinstance(bare, exp.And) else exp.Or
        return joined([_negations_inside(term) for term in terms(bare, kind)], kind)
    if isinstance(bare, exp.Not):
        inner = unwrapped(bare.this)
        if isinstance(inner, exp.Not):
            return _negations_inside(inner.this)
        if isinstance(inner, (exp.And, exp.Or)):
            kind = exp.And if isinstance(inner, exp.And) else exp.Or
            other = exp.Or if kind is exp.And else exp.And
            negated = [_negations_inside(exp.Not(this=_operand(term))) for term in terms(inner, kind)]
            return joined(negated, other)
    return bare


def _first_moving(value: exp.Expr, moves: Moves) -> tuple[exp.Expr, exp.Expr, exp.Expr] | None:
    """(condition, value where it is true, value where it is not) of the first CASE condition that moves."""
    for node in own_nodes(value):
        if not isinstance(node, exp.Case):
            continue
        for branch in node.args["ifs"]:
            if moves(branch.this):
                condition = _moving_part(branch.this, moves)
                yes = _assumed(value, condition, True)
                no = _assumed(value, condition, False)
                return condition, yes, no
    return None


def _moving_part(condition: exp.Expr, moves: Moves) -> exp.Expr:
    """The largest part of a condition that is decided per group: the moving terms of its chain together."""
    bare = unwrapped(condition)
    if not isinstance(bare, (exp.And, exp.Or)):
        return bare
    kind = exp.And if isinstance(bare, exp.And) else exp.Or
    parts = terms(bare, kind)
    moving = [part for part in parts if moves(part)]
    pure = [part for part in moving if _only_moving(part, moves)]
    if len(pure) == len(parts):
        return bare
    return joined(pure, kind) if pure else _moving_part(moving[0], moves)


def _only_moving(condition: exp.Expr, moves: Moves) -> bool:
    if isinstance(condition, (exp.And, exp.Or)):
        kind = exp.And if isinstance(condition, exp.And) else exp.Or
        return all(_only_moving(part, moves) for part in terms(condition, kind))
    return moves(condition)


def _assumed(value: exp.Expr, condition: exp.Expr, truth: bool) -> exp.Expr:
    """The value with `condition` taken as true, or as not true, in every CASE condition."""
    kind = exp.And if isinstance(condition, exp.And) else exp.Or if isinstance(condition, exp.Or) else None
    known = {text_of(part) for part in terms(condition, kind)} if kind is not None else {text_of(condition)}

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Query):
            return node.copy()
        if isinstance(node, exp.Case):
            return _case_assuming(node, lambda test: _test_assuming(test, known, kind, truth), change)
        return rebuilt(node, change)

    return change(value)


def _case_assuming(
    case: exp.Case, decide: Callable[[exp.Expr], exp.Expr | bool], change: Callable[[exp.Expr], exp.Expr]
) -> exp.Expr:
    ifs: list[exp.If] = []
    default = case.args.get("default")
    otherwise = exp.Null() if default is None else change(default)
    for branch in case.args["ifs"]:
        decided = decide(branch.this)
        if decided is False:
            continue
        result = change(branch.args["true"])
        if decided is True:
            otherwise = result
            break
        ifs.append(exp.If(this=decided, true=result))
    if not ifs:
        return exp.Paren(this=otherwise) if isinstance(otherwise, (exp.Binary, exp.Unary)) else otherwise
    new = exp.Case(ifs=ifs, default=None if isinstance(otherwise, exp.Null) else otherwise)
    new.type = case.type
    return new


def _test_assuming(test: exp.Expr, known: set[str], kind: type[exp.Connector] | None, truth: bool) -> exp.Expr | bool:
    bare = unwrapped(test)
    if isinstance(bare, (exp.And, exp.Or)):
        here = exp.And if isinstance(bare, exp.And) else exp.Or
        parts = terms(bare, here)
        texts = {text_of(part) for part in parts}
        whole_chain = kind is here and known <= texts
        if whole_chain and truth is (here is exp.Or):
            return truth  # one true term makes OR true; AND of which a part is not true is not true
        rest: list[exp.Expr] = []
        for part in parts:
            if whole_chain and text_of(part) in known:
                continue
            decided = _test_assuming(part, known, kind, truth)
            if isinstance(decided, bool):
                if decided is (here is exp.Or):
                    return decided
                continue
            rest.append(decided)
        return joined(rest, here) if rest else here is exp.And
    single = kind is None or (kind is exp.And) is truth
    # A true AND makes each of its terms true; an OR that is not true makes each of its terms not true.
    return truth if single and text_of(bare) in known else bare
