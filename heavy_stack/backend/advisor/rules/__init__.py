"""The catalogue of optimisations: one rule per file below query/, layout/ and schema/; `protocol` says what one is."""

from heavy_stack.backend.advisor.rules.protocol import SchemaRule
from heavy_stack.backend.advisor.rules.schema.answer_from_rollup import AnswerFromRollup
from heavy_stack.backend.advisor.rules.schema.read_from_prejoin import ReadFromPrejoin

ANSWER_FROM_ROLLUP = AnswerFromRollup()
READ_FROM_PREJOIN = ReadFromPrejoin()
RULES: tuple[SchemaRule, ...] = (ANSWER_FROM_ROLLUP, READ_FROM_PREJOIN)
"""Every rule, in the order in which they are tried."""
