"""The error tree: everything that this project raises on purpose.

HeavyStackError                 code, status, retryable, context (safe to show)
├── InputError 422              the request has no meaning as it stands
│   ├── WorkloadFormat          the body is not a workload (place and cure in the message)
│   ├── BodyTooLarge 413        the body is above HEAVY_MAX_BODY_BYTES
│   └── SqlSyntax               DDL that does not parse, with line and column
├── NotAuthenticated 401        no or wrong credentials
├── NotAllowed 403              signed in, but this is not yours to do
├── NotFound 404                unknown, or another user's (the two look alike)
├── Conflict 409                the state does not allow it (yet)
├── TaskFailed 422              the task ended without an answer; carries its own code
├── ExternalError 502/503       something outside this service
│   ├── EngineUnavailable 503   the engine cannot be reached or may not be contacted
│   ├── EngineTimeout 503       the engine did not answer in time
│   ├── EngineQueryFailed 502   the engine refused or failed a statement
│   ├── LlmUnavailable 503
│   ├── LlmBudgetSpent 503
│   ├── LlmReplyInvalid 502
│   └── BrowserCallFailed 502   a function called in the browser failed there or never answered
├── StageError 500              a stage broke; a defect of this service
└── SettingsError               start-up: a setting is missing or contradicts another
"""

from __future__ import annotations

from typing import Any, ClassVar


class HeavyStackError(Exception):
    """Base of all errors of this project.

    Args:
        message: One sentence for the reader: what is wrong, where, and the cure. Never a secret, never a stack trace.
        code: Stable machine-readable word, snake_case. Defaults to the class's own.
        status: HTTP status. Defaults to the class's own.
        retryable: True when the same call may succeed later. Defaults to the class's own.
        context: Safe-to-show details, JSON-serialisable.
    """

    default_code: ClassVar[str] = "internal_error"
    default_status: ClassVar[int] = 500
    default_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        retryable: bool | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code if code is not None else self.default_code
        self.status = status if status is not None else self.default_status
        self.retryable = retryable if retryable is not None else self.default_retryable
        self.context = dict(context or {})


class InputError(HeavyStackError):
    """The request has no meaning as it stands."""

    default_code = "invalid_input"
    default_status = 422


class WorkloadFormat(InputError):
    """The body is not a workload."""

    default_code = "workload_format"


class BodyTooLarge(InputError):
    """The body is above HEAVY_MAX_BODY_BYTES."""

    default_code = "body_too_large"
    default_status = 413


class SqlSyntax(InputError):
    """DDL that does not parse; context has statement, line and column."""

    default_code = "sql_syntax"


class NotAuthenticated(HeavyStackError):
    """No credentials, or wrong ones."""

    default_code = "not_authenticated"
    default_status = 401


class NotAllowed(HeavyStackError):
    """Known caller, but this is not theirs to do."""

    default_code = "not_allowed"
    default_status = 403


class NotFound(HeavyStackError):
    """Unknown, or another user's: the two look alike on purpose."""

    default_code = "not_found"
    default_status = 404


class Conflict(HeavyStackError):
    """The state does not allow it (yet)."""

    default_code = "conflict"
    default_status = 409


class TaskFailed(HeavyStackError):
    """The task ended without an answer; `code` is the task's own error code."""

    default_code = "task_failed"
    default_status = 422


class ExternalError(HeavyStackError):
    """Something outside this service."""

    default_code = "external_error"
    default_status = 502
    default_retryable = True


class EngineUnavailable(ExternalError):
    """The engine cannot be reached, or may not be contacted."""

    default_code = "engine_unavailable"
    default_status = 503


class EngineTimeout(ExternalError):
    """The engine did not answer in time."""

    default_code = "engine_timeout"
    default_status = 503


class EngineQueryFailed(ExternalError):
    """The engine refused or failed a statement."""

    default_code = "engine_query_failed"
    default_retryable = False


class LlmUnavailable(ExternalError):
    """No language model can be reached."""

    default_code = "llm_unavailable"
    default_status = 503


class LlmBudgetSpent(ExternalError):
    """The task's token, time or money budget is spent."""

    default_code = "llm_budget_spent"
    default_status = 503
    default_retryable = False


class LlmReplyInvalid(ExternalError):
    """The reply does not fit its schema."""

    default_code = "llm_reply_invalid"
    default_retryable = False


class BrowserCallFailed(ExternalError):
    """A function that a page called in the browser failed there, or never answered."""

    default_code = "browser_call_failed"


class StageError(HeavyStackError):
    """A stage broke: a defect of this service, not of the workload."""

    default_code = "stage_error"


class SettingsError(HeavyStackError):
    """A setting is missing, malformed, or contradicts another; raised at start-up only."""

    default_code = "settings_error"
