"""The words for what is known about a query's answer (docs/verification.md)."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """Strongest first; only the three EQUAL ones are ever sent rewritten."""

    EQUAL_ON_DATA = "EQUAL_ON_DATA"
    EQUAL_BY_RULE = "EQUAL_BY_RULE"
    EQUAL_ON_TESTS = "EQUAL_ON_TESTS"
    UNCHANGED = "UNCHANGED"


class Reason(StrEnum):
    """Why a query was answered as it was sent."""

    NO_GAIN = "NO_GAIN"
    DIFFERENT = "DIFFERENT"
    NOT_CHECKABLE = "NOT_CHECKABLE"
    NONDETERMINISTIC = "NONDETERMINISTIC"
    UNPARSABLE = "UNPARSABLE"
    UNKNOWN_TABLE = "UNKNOWN_TABLE"
    NOT_A_SELECT = "NOT_A_SELECT"
    TOO_LARGE = "TOO_LARGE"
    OUT_OF_TIME = "OUT_OF_TIME"


VERDICT_LABELS: dict[Verdict, str] = {
    Verdict.EQUAL_ON_DATA: "Equal on your data",
    Verdict.EQUAL_BY_RULE: "Equal by rule",
    Verdict.EQUAL_ON_TESTS: "Equal on test data",
    Verdict.UNCHANGED: "Unchanged",
}
REASON_LABELS: dict[Reason, str] = {
    Reason.NO_GAIN: "No table would make it faster",
    Reason.DIFFERENT: "The rewrite returned other rows, so it was thrown away",
    Reason.NOT_CHECKABLE: "Uses something that cannot be checked here",
    Reason.NONDETERMINISTIC: "Its own result is random",
    Reason.UNPARSABLE: "Does not parse",
    Reason.UNKNOWN_TABLE: "Reads a table or column that the DDL does not have",
    Reason.NOT_A_SELECT: "Is not a SELECT",
    Reason.TOO_LARGE: "Too large or too deeply nested to analyse",
    Reason.OUT_OF_TIME: "The time budget ended before it was verified",
}
