"""From a resolved query to a sketch of rows that it would return: every condition is pushed down to base columns.

Two uses of one walk:
    - *witness*: choices are made at random (one branch of an OR, one WHEN of a CASE), so that the rows make the query
      return something;
    - *survey*: all branches of all predicates are visited, so that every constant is seen beside its column.
What the walk does not understand it skips: the rows then may not come back, which the verifier notices by running them.
"""

from __future__ import annotations

import random

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.verify.constraints import Constraint
from heavy_stack.backend.advisor.verify.expressions import Pusher
from heavy_stack.backend.advisor.verify.literals import constant
from heavy_stack.backend.advisor.verify.siblings import behind_ordinal, frame_for
from heavy_stack.backend.advisor.verify.sketch import Derived, Frame, Meaning, Sketch, Slot

PREDICATES = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like, exp.ILike, exp.RegexpLike, exp.Is,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.StartsWith,
)  # fmt: skip
ALIKE = 0.25
"""How often the branches of a UNION get equal rows."""
ARMS = 0.7
"""How often a SELECT gets a row for one of the arms of what it shows."""
MAX_ROWS = 200
MAX_OPENED = 400


class Solver(Pusher):
    """One walk over one query; `sketch` holds what was found.

    Args:
        catalog: The tables of the DDL.
        draw: Decides every choice.
        survey: Visit everything instead of choosing.
        arms: Ask for rows in arms of what is shown too.
    """

    def __init__(self, catalog: Catalog, draw: random.Random, *, survey: bool = False, arms: bool = False) -> None:
        super().__init__(Sketch(), draw, survey=survey)
        self.catalog = catalog
        self.arms = arms
        self.opened = 0

    def walk(self, root: Scope) -> Sketch:
        """Sketch the rows behind the query of `root`."""
        self.open(root, None)
        return self.sketch

    def open(self, scope: Scope, outer: Frame | None, *, derived: bool = False) -> dict[str, Meaning]:
        """Make the rows behind a query and return what its output columns mean.

        Args:
            outer: The frame of the query around it.
            derived: It stands in a FROM, so its outputs matter only where they are read.
        """
        node = scope.expression
        self.opened += 1
        if self.opened > MAX_OPENED:  # CTEs that are read twice by CTEs that are read twice …
            return {}
        if isinstance(node, exp.SetOperation):
            outputs = [self.open(branch, outer, derived=derived) for branch in scope.set_operation_scopes or ()]
            return self._set_operation(node, outputs)
        if not isinstance(node, exp.Select):
            return {}
        frame = Frame(outer=outer, grouped=bool(node.args.get("group")) or _has_aggregate(node))
        self._open_sources(scope, node, frame)
        self.subqueries.update({id(sub.expression): (sub, frame) for sub in scope.subquery_scopes})
        self.selects.append((node, frame, derived and node.args.get("distinct") is None))
        self._require_all(node, frame)
        self._open_shown(scope, node, frame)
        self._mark_groups(node, frame)
        self._choose_arm(node, frame)
        if self.survey:
            self._survey(node, frame)
        return {item.alias_or_name.lower(): self._output(item, frame) for item in node.selects}

    def open_subquery(self, node: exp.Expr, frame: Frame) -> list[Meaning]:
        """The rows behind a subquery in an expression; what its output columns mean, in order."""
        scope_and_frame = self.subqueries.get(id(node))
        if scope_and_frame is None:
            return []
        return list(self.open(scope_and_frame[0], frame).values())

    def frame_for(self, call: exp.Expr, frame: Frame) -> Frame:
        """The aggregate's own frame, or that of another row of the group; a survey asks everything of one row."""
        return frame if self.survey else frame_for(self, call, frame)

    def _set_operation(self, node: exp.SetOperation, outputs: list[dict[str, Meaning]]) -> dict[str, Meaning]:
        if not outputs:
            return {}
        alike = isinstance(node, exp.Union) and not self.survey and self.draw.random() < ALIKE
        if isinstance(node, exp.Intersect) or alike:  # equal rows of two branches tell UNION from UNION ALL
            for others in outputs[1:]:
                for left, right in zip(outputs[0].values(), others.values(), strict=False):
                    self.equate(left, right)
        # Every branch of a UNION gets its rows; what is asked of the whole is asked of one branch.
        chosen = outputs[self.draw.randrange(len(outputs))] if isinstance(node, exp.Union) else outputs[0]
        return dict(zip(outputs[0], chosen.values(), strict=False))

    def _open_sources(self, scope: Scope, node: exp.Select, frame: Frame) -> None:
        optional = _optional_aliases(node)
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, Scope):
                before = len(self.frames)
                columns = self.open(source, frame if not source.is_cte else None, derived=True)
                frame.inner += self.frames[before:][-1:]
                frame.sources[alias.lower()] = columns
            elif isinstance(source, exp.Table):
                table = self.catalog.resolve_node(source)
                if table is None or len(self.sketch.rows) >= MAX_ROWS:
                    continue
                row = self.sketch.add_row(table, optional=alias.lower() in optional)
                frame.rows.append(row)
                frame.sources[alias.lower()] = {c.name.lower(): Slot(row, c.name.lower()) for c in table.columns}
        self.frames.append(frame)

    def _require_all(self, node: exp.Select, frame: Frame) -> None:
        conditions = [join.args.get("on") for join in node.args.get("joins") or ()]
        for clause in ("where", "having"):
            holder = node.args.get(clause)
            conditions.append(holder.this if holder is not None else None)
        for condition in conditions:
            if condition is not None:
                self.require(condition, frame, True)

    def _open_shown(self, scope: Scope, node: exp.Select, frame: Frame) -> None:
        """The rows behind subqueries that a SELECT shows, which no condition asks for."""
        for sub in scope.subquery_scopes:
            place = sub.expression
            while place.parent is not None and place.parent is not node:
                place = place.parent
            if place.arg_key == "expressions":
                self.open(sub, frame)

    def _choose_arm(self, node: exp.Select, frame: Frame) -> None:
        """Ask for one arm of one CASE, or for one FILTER, that the SELECT shows: no single change may lead there."""
        if not self.arms or self.draw.random() >= ARMS:
            return
        shown = [
            found
            for item in node.selects
            for found in item.walk(prune=lambda inner: isinstance(inner, exp.Query))
            if isinstance(found, (exp.Case, exp.Filter))
        ]
        chosen = shown[self.choices.drawn(node, len(shown))] if shown else None
        if isinstance(chosen, exp.Filter):
            self.require(chosen.expression.this, frame, True)
        elif chosen is not None:
            self.choose_branch(chosen, frame)

    def _mark_groups(self, node: exp.Select, frame: Frame) -> None:
        group = node.args.get("group")
        keys = list(group.expressions) if group is not None else []
        if node.args.get("distinct") is not None:
            keys += [item.unalias() for item in node.selects]
        for window in node.find_all(exp.Window):
            keys += window.args.get("partition_by") or []
        for key in keys:
            behind = behind_ordinal(key, node)
            self.sketch.group_slots.update(self.slots_in(behind, frame))
            self.choose_branch(behind, frame)

    def _survey(self, node: exp.Select, frame: Frame) -> None:
        for found in node.walk(prune=lambda inner: isinstance(inner, exp.Query) and inner is not node):
            if isinstance(found, PREDICATES):
                self.require(found, frame, True)
            elif isinstance(found, exp.Coalesce):
                # A default must also occur as a value of its own, or grouping by it hides nothing.
                default = constant(found.expressions[0]) if found.expressions else None
                if default is not None:
                    self.push(found.this, Constraint("compare", "=", default), frame)

    def _output(self, item: exp.Expr, frame: Frame) -> Meaning:
        node = item.unalias()
        meaning = frame.meaning(node) if isinstance(node, exp.Column) else None
        return meaning if meaning is not None else Derived(node, frame)


def _has_aggregate(node: exp.Select) -> bool:
    def is_query(inner: exp.Expr) -> bool:
        return isinstance(inner, exp.Query) and inner is not node

    return any(
        isinstance(found, exp.AggFunc) and not isinstance(found.parent, exp.Window)
        for item in node.selects
        for found in item.walk(prune=is_query)
    )


def _optional_aliases(node: exp.Select) -> set[str]:
    """Aliases whose rows an outer join may leave out."""
    optional: set[str] = set()
    seen: list[str] = []
    first = node.args.get("from_") or node.args.get("from")
    if first is not None:
        seen.append(first.this.alias_or_name.lower())
    for join in node.args.get("joins") or ():
        side = (join.side or "").upper()
        alias = join.this.alias_or_name.lower()
        if side in ("LEFT", "FULL"):
            optional.add(alias)
        if side in ("RIGHT", "FULL"):
            optional.update(seen)
        seen.append(alias)
    return optional
