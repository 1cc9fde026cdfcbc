"""What every rule that proposes tables looks like: one `match` on all texts together.

Candidates of all rules compete in the selection by what they save each block (`Candidate.savings`), in the seconds of
`rules/costs.py`. Of other rules a rule knows only what the earlier ones save (`ProposeContext.answered`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from heavy_stack.backend.advisor.artefacts import Candidate, TableFacts
from heavy_stack.backend.advisor.ports import Progress
from heavy_stack.backend.advisor.rules.costs import CostModel
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes


@dataclass(frozen=True, eq=False)
class ProposeContext:
    """All that a rule may look at when it proposes tables.

    Attributes:
        texts: Trino SQL by text index, the most important first; every text parses.
        runs: Runs by text index.
        analyst: Analyses a text once and remembers it; knows the catalog and the flags.
        costs: The cost model.
        sizes: Row counts of groups, asked from the engine in batches.
        facts: Statistics by full table name; empty without an engine.
        progress: Told how far the rule is, 0 to 1 within it.
        max_tables: No more tables than this are built.
        until_left_s: Texts are analysed while the task has more time left than this.
        answered: (text, block) → seconds on the best table that an earlier rule of the catalogue proposes.
        may_ask: Whether the client's engine can be asked to discharge conditions; else a candidate with conditions
            that the DDL does not imply cannot be sent.
    """

    texts: Mapping[int, str]
    runs: Mapping[int, int]
    analyst: Analyst
    costs: CostModel
    sizes: Sizes
    facts: Mapping[str, TableFacts]
    progress: Progress
    max_tables: int
    until_left_s: float = 0.0
    may_ask: bool = False
    answered: Mapping[tuple[int, int], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposed:
    """A rule's candidates, and why it has none for the other texts.

    Attributes:
        candidates: Ids are unique within the task: prefix them with the rule's own word.
        unanswered: By text, why the rule has nothing for it; texts without an entry have none of the rule's shape.
        rejected: (candidate, rule, why) of tables that the rule itself gave up.
    """

    candidates: tuple[Candidate, ...]
    unanswered: dict[int, str] = field(default_factory=dict)
    rejected: tuple[tuple[str, str, str], ...] = ()


class SchemaRule(Protocol):
    """A rule that proposes tables; listed in `rules.RULES`, in the order in which rewriting tries them."""

    @property
    def id(self) -> str:
        """The name under which artefacts and reports know it."""

    @property
    def family(self) -> str:
        """`schema` for rules that propose tables."""

    @property
    def needs(self) -> tuple[str, ...]:
        """What it needs from outside, in words."""

    def match(self, context: ProposeContext) -> Proposed:
        """Candidates for all texts together, with what each saves each block that it answers."""
