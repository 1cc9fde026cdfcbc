"""Pushes a condition through expressions down to the base columns behind them, where it becomes a constraint."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from heavy_stack.backend.advisor.verify.choices import Choices
from heavy_stack.backend.advisor.verify.column_types import is_number
from heavy_stack.backend.advisor.verify.constraints import FLIPPED, NEGATED, Constraint
from heavy_stack.backend.advisor.verify.inversion import (
    OPERATORS,
    PARTS,
    THROUGH,
    amount,
    is_indicator,
    may_satisfy,
    part_name,
    share_beside,
    solved,
)
from heavy_stack.backend.advisor.verify.literals import constant
from heavy_stack.backend.advisor.verify.sketch import Derived, Frame, Link, Meaning, Sketch, Slot

CONDITIONS = (*OPERATORS, exp.And, exp.Or, exp.Not, exp.In, exp.Between, exp.Is)
LARGE = {"high": "low", "low": "high"}
APART = 0.7
"""How often two expressions that are compared get values far apart."""
MAX_DEPTH = 60
MAX_IN = 60
"""Values of an IN list that are looked at."""


class Pusher(ABC):
    """The part of the walk that handles conditions and expressions; the solver handles queries."""

    def __init__(self, sketch: Sketch, draw: random.Random, *, survey: bool) -> None:
        self.sketch = sketch
        self.draw = draw
        self.survey = survey
        self.frames: list[Frame] = []
        self.selects: list[tuple[exp.Select, Frame, bool]] = []
        self.subqueries: dict[int, tuple[Scope, Frame]] = {}
        self.choices = Choices(draw)
        self._depth = 0

    @abstractmethod
    def open_subquery(self, node: exp.Expr, frame: Frame) -> list[Meaning]:
        """The rows behind a subquery; what its output columns mean."""

    @abstractmethod
    def frame_for(self, call: exp.Expr, frame: Frame) -> Frame:
        """Where to ask for a row that an aggregate counts."""

    def require(self, node: exp.Expr, frame: Frame, want: bool) -> None:
        """Ask that a condition be true, or false."""
        self._depth += 1
        if self._depth <= MAX_DEPTH:
            self._require(node, frame, want)
        self._depth -= 1

    def _require(self, node: exp.Expr, frame: Frame, want: bool) -> None:
        if isinstance(node, exp.Paren):
            self.require(node.this, frame, want)
        elif isinstance(node, exp.Not):
            self.require(node.this, frame, not want)
        elif isinstance(node, (exp.And, exp.Or)):
            self._require_terms(node, frame, want)
        elif type(node) in OPERATORS:
            op = OPERATORS[type(node)]
            self._require_comparison(node.this, op if want else NEGATED[op], node.expression, frame)
        elif isinstance(node, exp.Between):
            self._require_between(node, frame, want)
        elif isinstance(node, exp.In):
            self._require_in(node, frame, want)
        elif isinstance(node, exp.Is):
            self._require_is(node, frame, want)
        elif isinstance(node, (exp.Like, exp.ILike, exp.Escape, exp.RegexpLike, exp.StartsWith)):
            self._require_pattern(node, frame, want)
        elif isinstance(node, exp.Exists):
            query = node.this.this if isinstance(node.this, exp.Subquery) else node.this
            self._require_subquery(query, frame, want)
        elif isinstance(node, (exp.Column, exp.Case, exp.If, exp.Coalesce)):
            self.push(node, Constraint("compare", "=", want), frame)

    def _require_terms(self, node: exp.And | exp.Or, frame: Frame, want: bool) -> None:
        terms = [term.unnest() for term in node.flatten()]
        all_of_them = isinstance(node, exp.And) == want or self.survey
        for term in terms if all_of_them else [self.draw.choice(terms)]:
            self.require(term, frame, want)

    def _require_between(self, node: exp.Between, frame: Frame, want: bool) -> None:
        low, high = (">=", node.args["low"]), ("<=", node.args["high"])
        for op, bound in (low, high) if want or self.survey else (self.draw.choice((low, high)),):
            self._require_comparison(node.this, op if want else NEGATED[op], bound, frame)

    def _require_in(self, node: exp.In, frame: Frame, want: bool) -> None:
        query = node.args.get("query")
        if query is not None:
            inner = self._require_subquery(query.this if isinstance(query, exp.Subquery) else query, frame, want)
            mine = self._meaning(node.this, frame)
            if inner and mine is not None:
                self.equate(mine, inner[0])
            return
        items = node.expressions
        if len(items) > MAX_IN:
            items = items[:: len(items) // MAX_IN]  # a long list's values are all alike
        values = tuple(value for value in (constant(item) for item in items) if value is not None)
        if values:
            self.push(node.this, Constraint("in" if want else "not_in", value=values), frame)

    def _require_subquery(self, query: exp.Expr, frame: Frame, want: bool) -> list[Meaning]:
        """Rows that a subquery finds; where it must find none, rows that it just misses."""
        first = len(self.sketch.rows)
        outputs = self.open_subquery(query, frame)
        if not want:
            self.sketch.missing.update(range(first, len(self.sketch.rows)))
        return outputs

    def _require_is(self, node: exp.Is, frame: Frame, want: bool) -> None:
        if isinstance(node.expression, exp.Boolean):
            self.push(node.this, Constraint("compare", "=", bool(node.expression.this) == want), frame)
        else:
            self.push(node.this, Constraint("is_null" if want else "not_null"), frame)

    def _require_pattern(self, node: exp.Expr, frame: Frame, want: bool) -> None:
        escape = None
        if isinstance(node, exp.Escape):
            escape = constant(node.expression)
            node = node.this
        pattern = constant(node.expression)
        if not isinstance(pattern, str):
            return
        if isinstance(node, exp.StartsWith):
            self.push(node.this, Constraint("prefix", value=pattern), frame)
        elif isinstance(node, exp.RegexpLike):
            if want or self.survey:
                self.push(node.this, Constraint("regexp", value=pattern), frame)
        else:
            self.push(node.this, Constraint("like" if want else "not_like", value=pattern, part=escape), frame)

    def _require_comparison(self, left: exp.Expr, op: str, right: exp.Expr, frame: Frame) -> None:
        left, right = left.unnest(), right.unnest()
        for subject, operator, other in ((left, op, right), (right, FLIPPED[op], left)):
            value = constant(other)
            if value is not None:
                self.push(subject, Constraint("compare", operator, value), frame)
                return
        for subject, operator, other in ((left, op, right), (right, FLIPPED[op], left)):
            if isinstance(other, exp.Subquery):
                self._compare_with_subquery(subject, operator, other, frame)
                return
        self._compare_columns(left, op, right, frame)

    def _compare_with_subquery(self, subject: exp.Expr, op: str, query: exp.Subquery, frame: Frame) -> None:
        inner = self.open_subquery(query.this, frame)
        mine = self._meaning(subject, frame)
        if op == "=" and inner and mine is not None:
            self.equate(mine, inner[0])
        elif op in (">", ">=", "<", "<="):
            self.push(subject, Constraint("high" if op[0] == ">" else "low"), frame)

    def _compare_columns(self, left: exp.Expr, op: str, right: exp.Expr, frame: Frame) -> None:
        (mine, my_offset), (other, offset) = self._with_offset(left, frame), self._with_offset(right, frame)
        if mine is None or other is None:
            return
        if op == "=" and my_offset == offset:
            self.equate(mine, other)
            if len({side.table.lower() in frame.sources for side in (left, right) if isinstance(side, exp.Column)}) > 1:
                # A subquery's rows for one value of the query around it are a group.
                self.sketch.group_slots.update(side for side in (mine, other) if isinstance(side, Slot))
        elif isinstance(mine, Slot) and isinstance(other, Slot):
            self.sketch.links.append(Link(mine, op, other, offset - my_offset))
        elif op in (">", ">=", "<", "<=") and (self.survey or self.draw.random() < APART):
            self.push(left, Constraint("high" if op[0] == ">" else "low"), frame)
            self.push(right, Constraint("low" if op[0] == ">" else "high"), frame)

    def _with_offset(self, node: exp.Expr, frame: Frame) -> tuple[Meaning | None, float]:
        """A column plus or minus a constant (days for a date)."""
        node = node.unnest()
        if isinstance(node, (exp.Add, exp.Sub)):
            added = amount(node.right.unnest())
            if added is not None:
                meaning, offset = self._with_offset(node.left, frame)
                return meaning, offset + (added if isinstance(node, exp.Add) else -added)
        return self._meaning(node, frame), 0.0

    def _meaning(self, node: exp.Expr, frame: Frame) -> Meaning | None:
        """The slot behind a plain column or a cast of one, else the expression."""
        node = node.unnest()
        while isinstance(node, (exp.Cast, exp.TryCast, exp.Coalesce, exp.Date, exp.Paren)):
            node = node.this
        if isinstance(node, exp.Column):
            meaning = frame.meaning(node)
            if isinstance(meaning, Derived) and meaning.node is not node:
                return self._meaning(meaning.node, meaning.frame) or meaning
            return meaning
        return None if isinstance(node, exp.Literal) else Derived(node, frame)

    def equate(self, left: Meaning, right: Meaning) -> None:
        """Both sides of an equality get one value, where both are columns."""
        if isinstance(left, Slot) and isinstance(right, Slot):
            self.sketch.equate(left, right)

    def slots_in(self, node: exp.Expr, frame: Frame) -> Iterator[Slot]:
        """Base columns that an expression reads."""
        self._depth += 1
        if self._depth <= MAX_DEPTH:
            for column in node.find_all(exp.Column):
                meaning = frame.meaning(column)
                if isinstance(meaning, Slot):
                    yield meaning
                elif isinstance(meaning, Derived):
                    yield from self.slots_in(meaning.node, meaning.frame)
        self._depth -= 1

    def push(self, node: exp.Expr, constraint: Constraint, frame: Frame) -> None:
        """Ask a constraint of an expression; ends at slots, or at what is not understood."""
        self._depth += 1
        if self._depth <= MAX_DEPTH:
            self._push(node, constraint, frame)
        self._depth -= 1

    def _push(self, node: exp.Expr, constraint: Constraint, frame: Frame) -> None:
        if isinstance(node, exp.Column):
            meaning = frame.meaning(node)
            if isinstance(meaning, Slot):
                self.sketch.constraints[meaning].append(constraint)
            elif isinstance(meaning, Derived):
                self.push(meaning.node, constraint, meaning.frame)
        elif isinstance(node, (exp.Case, exp.If)):
            self._push_case(node, constraint, frame)
        elif isinstance(node, THROUGH):
            self.push(node.this, constraint, frame)
        elif type(node) in PARTS:
            self._push_part(node.this, PARTS[type(node)], constraint, frame)
        elif isinstance(node, exp.Extract):
            self._push_part(node.expression, part_name(node.name), constraint, frame)
        elif isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
            self._push_arithmetic(node, constraint, frame)
        elif isinstance(node, exp.Neg) and constraint.kind == "compare" and is_number(constraint.value):
            self.push(node.this, Constraint("compare", FLIPPED[constraint.op], -constraint.value), frame)
        elif isinstance(node, (exp.Substring, exp.Left)) and isinstance(constraint.value, (str, tuple)):
            self._push_prefix(node, constraint, frame)
        elif isinstance(node, exp.Length) and constraint.kind == "compare":
            self.push(node.this, Constraint("length", constraint.op, constraint.value), frame)
        elif isinstance(node, (exp.AggFunc, exp.Filter)):
            self._push_aggregate(node, constraint, frame)
        elif constraint.kind == "compare" and isinstance(constraint.value, bool) and isinstance(node, CONDITIONS):
            self.require(node, frame, constraint.value)

    def _push_part(self, node: exp.Expr, part: str | None, constraint: Constraint, frame: Frame) -> None:
        if part is None:
            return
        if constraint.kind == "compare":
            self.push(node, Constraint("part", constraint.op, constraint.value, part), frame)
        elif constraint.kind == "in":
            self.push(node, Constraint("part", "=", constraint.value, part), frame)

    def _push_prefix(self, node: exp.Expr, constraint: Constraint, frame: Frame) -> None:
        start = constant(node.args.get("start")) if isinstance(node, exp.Substring) else 1
        if start != 1 or constraint.kind not in ("compare", "in") or constraint.op != "=":
            return
        values = constraint.value if isinstance(constraint.value, tuple) else (constraint.value,)
        for value in values if self.survey else (self.draw.choice(values),):
            self.push(node.this, Constraint("prefix", value=str(value)), frame)

    def _push_case(self, node: exp.Case | exp.If, constraint: Constraint, frame: Frame) -> None:
        whens = list(node.args.get("ifs") or ()) if isinstance(node, exp.Case) else [node]
        operand = node.this if isinstance(node, exp.Case) else None
        default = node.args.get("default") if isinstance(node, exp.Case) else node.args.get("false")
        branches: list[tuple[int, exp.Expr]] = [(place, when.args["true"]) for place, when in enumerate(whens)]
        if default is not None:
            branches.append((len(whens), default))
        fitting = [branch for branch in branches if may_satisfy(branch[1], constraint)]
        for place, result in fitting if self.survey else fitting and [self.draw.choice(fitting)]:
            for earlier in whens[: place + 1]:
                wanted = earlier is whens[place] if place < len(whens) else False
                self._require_when(operand, earlier.this, frame, wanted)
            if constant(result) is None:
                self.push(result, constraint, frame)

    def choose_branch(self, node: exp.Expr, frame: Frame) -> None:
        """Ask for one branch of a CASE that makes groups, so that each of its groups gets rows at some time."""
        meaning = self._meaning(node, frame) if isinstance(node, exp.Column) else None
        if isinstance(meaning, Derived):
            node, frame = meaning.node, meaning.frame
        if isinstance(node, exp.Case) and not self.survey:
            whens = list(node.args.get("ifs") or ())
            place = self.choices.drawn(node, len(whens) + 1)
            for earlier in whens[: place + 1]:
                wanted = place < len(whens) and earlier is whens[place]
                self._require_when(node.this, earlier.this, frame, wanted)

    def _require_when(self, operand: exp.Expr | None, test: exp.Expr, frame: Frame, want: bool) -> None:
        if operand is not None:
            self._require_comparison(operand, "=" if want else "<>", test, frame)
        else:
            self.require(test, frame, want)

    def _push_arithmetic(self, node: exp.Expr, constraint: Constraint, frame: Frame) -> None:
        left, right = node.this.unnest(), node.expression.unnest()
        if constraint.kind in LARGE:
            turned = Constraint(LARGE[constraint.kind]) if isinstance(node, (exp.Div, exp.Sub)) else constraint
            for part, asked in ((left, constraint), (right, turned)):
                self.push(part, asked, frame)
        if constraint.kind != "compare" or not is_number(constraint.value):
            return
        moved = solved(node, constant(left), constant(right), constraint)
        if moved is not None:
            subject = right if constant(left) is not None else left
            self.push(subject, moved, frame)
        elif isinstance(node, exp.Add) and constraint.op[0] in "<>" and constraint.value >= 0:
            for term in (left, right) if self.survey else (self.draw.choice((left, right)),):
                self.push(term, constraint, frame)
        elif isinstance(node, exp.Div) and constraint.op[0] in "<>":
            self._push_share(left, right, constraint, frame)
        elif isinstance(node, exp.Mul):
            self.push(left, constraint, frame)
            self.push(right, Constraint("compare", "=", 1), frame)
        elif isinstance(node, exp.Sub):
            mine, other = self._meaning(left, frame), self._meaning(right, frame)
            if constraint.op[0] in "<>" and isinstance(mine, Slot) and isinstance(other, Slot):
                self.sketch.links.append(Link(mine, constraint.op, other, float(constraint.value)))
            else:
                self.push(left, constraint, frame)
                self.push(right, Constraint("compare", "=", 0), frame)

    def _push_share(self, left: exp.Expr, right: exp.Expr, constraint: Constraint, frame: Frame) -> None:
        """A share beside a bound: two numbers whose share is the bound itself, or just what is asked for."""
        pair = share_beside(constraint, None if self.survey else self.draw)
        if pair is None or self.survey:
            # A share above a bound: make the part as large as can be; below: as small.
            bound = Constraint("compare", ">", 0) if constraint.op[0] == ">" else Constraint("compare", "<=", 0)
            self.push(left, bound, frame)
        if pair is not None:
            self.push(left, Constraint("compare", "=", pair[0]), frame)
            self.push(right, Constraint("compare", "=", pair[1]), frame)

    def _push_aggregate(self, node: exp.Expr, constraint: Constraint, frame: Frame) -> None:
        some = constraint.op != "<=" or constraint.value != 0
        frame = self.frame_for(node, frame) if some else frame
        if isinstance(node, exp.Filter):
            if some:
                self.require(node.expression.this, frame, True)
            node = node.this
        if isinstance(node, (exp.Avg, exp.Min, exp.Max, exp.AnyValue)):
            self._note_threshold(node.this, constraint, frame)
            self.push(node.this, constraint, frame)
            return
        if isinstance(node, exp.Sum) and constraint.kind in LARGE:
            self.push(node.this, constraint, frame)
        if constraint.kind != "compare" or not is_number(constraint.value):
            return
        if isinstance(node, (exp.Count, exp.CountIf)):
            self._push_count(node, constraint, frame)
        elif isinstance(node, exp.Sum):
            self._push_sum(node, constraint, frame)

    def _push_count(self, node: exp.Count | exp.CountIf, constraint: Constraint, frame: Frame) -> None:
        argument = node.this
        distinct = isinstance(argument, exp.Distinct)
        if isinstance(node, exp.CountIf):
            self.require(argument, frame, constraint.op not in ("<", "<="))
        elif argument is not None and not isinstance(argument, exp.Star) and not distinct:
            self.push(argument, Constraint("not_null"), frame)
        spread = set(self.slots_in(argument, frame)) if distinct else set()
        self._want_copies(constraint, frame, spread)

    def _push_sum(self, node: exp.Sum, constraint: Constraint, frame: Frame) -> None:
        argument = node.this.unnest()
        if isinstance(argument, (exp.Case, exp.If)) and is_indicator(argument):
            # SUM(CASE WHEN c THEN 1 ELSE 0 END): a count of the rows where c holds.
            some = constraint.op in (">", ">=", "=", "<>")
            self.push(argument, Constraint("compare", ">" if some else "<=", 0), frame)
            if some:
                self._want_copies(constraint, frame, set())
        else:
            self._note_threshold(argument, constraint, frame, sums=True)
            self.push(argument, constraint, frame)

    def _note_threshold(self, argument: exp.Expr, constraint: Constraint, frame: Frame, *, sums: bool = False) -> None:
        """A single row in a group of its own can sit exactly on the threshold."""
        meaning = self._meaning(argument, frame)
        if isinstance(meaning, Slot) and constraint.kind == "compare" and is_number(constraint.value):
            self.sketch.thresholds[meaning] = constraint
            if sums:
                self.sketch.sums.add(meaning)

    def _want_copies(self, constraint: Constraint, frame: Frame, spread: set[Slot]) -> None:
        """So many rows that a COUNT satisfies the comparison: just enough, or one more."""
        rows = [slot.row for slot in spread] or frame.countable_rows()
        if not rows or self.survey:
            return
        self.sketch.want_copies(rows, constraint.op, int(constraint.value), spread)
