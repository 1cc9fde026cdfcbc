"""What a finished design is asked afterwards: a query that arrives later, and whether its conditions still hold.

Both become tasks of their own. Here their bodies are read, and what is stored for the worker is written.
"""

from __future__ import annotations

import orjson

from heavy_stack.backend.data.model_managers.task_intake import Intake, read_object, validated
from heavy_stack.backend.data.model_managers.task_url import take_credentials
from heavy_stack.errors import BodyTooLarge, WorkloadFormat
from heavy_stack.shared_models.answers import AnswerView, RecheckRequest
from heavy_stack.shared_models.tasks import TaskId
from heavy_stack.shared_models.workloads import LaterQuery, NewTask, RecheckWish, TaskOptions

LATER_QUERYID = "later"
MAX_LATER_BYTES = 4 * 1024 * 1024
"""One query with an address; what cannot be analysed for its size (1 MB) is well below."""
LATER_BUDGET_S = 120
"""Somebody waits for it: without a build on the data a later query takes seconds."""


def read_later_query(body: bytes, *, as_text: bool) -> LaterQuery:
    """The body of `POST /tasks/<taskid>/rewrite`.

    Args:
        body: JSON of a `LaterQuery`, or the query itself.
        as_text: The body is the query itself.

    Raises:
        WorkloadFormat: It is neither; place and cure are said.
        BodyTooLarge: It is larger than one query with an address could be.
    """
    if len(body) > MAX_LATER_BYTES:
        raise BodyTooLarge(f"The body has {len(body):,} bytes; a later query may have {MAX_LATER_BYTES:,}.")
    content = {"query": _text(body)} if as_text else read_object(body)
    later = validated(LaterQuery, content)
    if not later.query.strip():
        raise WorkloadFormat("query is empty: send the text of one SELECT.", context={"place": "query"})
    if "\x00" in later.query:
        place = later.query.index("\x00")
        raise WorkloadFormat(
            f"query has the character U+0000 at position {place}, which no database stores: remove it.",
            context={"place": "query"},
        )
    return later


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WorkloadFormat(
            f"The body is not UTF-8: byte {error.start} fits no character. Send it as UTF-8.",
            context={"place": f"byte {error.start}"},
        ) from None


def read_recheck_wish(body: bytes) -> RecheckWish:
    """The body of `POST /tasks/<taskid>/recheck`; empty is the same as `{}`.

    Raises:
        WorkloadFormat: It is not a `RecheckWish`.
    """
    return validated(RecheckWish, read_object(body)) if body.strip() else RecheckWish()


def later_body(later: LaterQuery, design: TaskId, request: bytes) -> bytes:
    """The body of a `POST /new` that asks for this query on that design.

    Args:
        later: The query.
        design: The task whose design is frozen.
        request: That task's stored request.
    """
    task = NewTask.model_validate_json(request)
    # Nobody has to be asked for test data, and the design need not be built: the answer takes seconds.
    verify = later.verify or "conditions"
    options: dict[str, object] = {"design": str(design), "verify": verify}
    if verify != "engine":
        options["budget_s"] = LATER_BUDGET_S
    return orjson.dumps(
        {
            "url": later.url if later.url is not None else task.url,
            "ddl": [{"statement": item.statement} for item in task.ddl],
            "queries": [{"queryid": LATER_QUERYID, "query": later.query, "runquantity": 1}],
            "options": options,
        }
    )


def recheck_intake(wish: RecheckWish, answer: AnswerView, request: bytes) -> Intake:
    """What is stored of a recheck: enough for any version of this service, whatever the design's stages left."""
    task = NewTask.model_validate_json(request)
    clean = take_credentials(wish.url if wish.url is not None else task.url)
    certificates = answer.report.certificates
    stored = RecheckRequest(design=answer.taskid, url=clean.url, ddl=task.ddl, certificates=certificates)
    return Intake(
        request=stored.model_dump_json().encode(),
        url=clean.url,
        credentials=clean.credentials or None,
        query_count=len(certificates),
        table_count=len(task.ddl),
        options=TaskOptions(budget_s=LATER_BUDGET_S),
    )
