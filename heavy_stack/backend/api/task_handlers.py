"""The task API: HTTP in, one manager call, HTTP out."""

from __future__ import annotations

from typing import Any

import orjson
from sanic import HTTPResponse, Request, redirect

from heavy_stack.backend.api.answers import answer_response
from heavy_stack.backend.api.request_reading import MULTIPART_BYTES, parse_task_id, task_id_of
from heavy_stack.backend.api.web_context import context_of, in_unit_of_work, user_of
from heavy_stack.errors import InputError, NotFound
from heavy_stack.shared_models.tasks import TaskId, TaskStatus

AnyRequest = Request[Any, Any]
_PLAIN_SQL = frozenset({"text/plain", "application/sql"})


async def new_task(request: AnyRequest) -> HTTPResponse:
    """`POST /new`: store the workload, answer with the task's id."""
    _refuse_encodings(request)
    context = context_of(request)
    body = await context.bodies.read(request)
    return _json(orjson.dumps({"taskid": str(await _submit(request, body))}))


async def status(request: AnyRequest) -> HTTPResponse:
    """`GET /status`: one of the three words, and how far it is."""
    task_id = task_id_of(request.query_string)
    found = await context_of(request).services.tasks.get_status(user_of(request), task_id)
    return _status(found)


async def get_result(request: AnyRequest) -> HTTPResponse:
    """`GET /getresult`: the one final answer."""
    task_id = task_id_of(request.query_string)
    answer = await context_of(request).services.tasks.get_answer(user_of(request), task_id)
    return await answer_response(answer, request.headers)


async def download(request: AnyRequest, taskid: str) -> HTTPResponse:
    """`GET /tasks/<taskid>/download`: the answer as a zip."""
    task_id = parse_task_id(taskid)
    content = await context_of(request).services.tasks.get_download(user_of(request), task_id)
    headers = {"content-disposition": f'attachment; filename="heavy-stack-{task_id}.zip"'}
    return HTTPResponse(content, headers=headers, content_type="application/zip")


async def cancel(request: AnyRequest, taskid: str) -> HTTPResponse:
    """`POST /tasks/<taskid>/cancel`: end the task. A form of a page goes back to the task's page."""
    task_id, user = parse_task_id(taskid), user_of(request)
    ended = await in_unit_of_work(context_of(request), lambda services: services.tasks.cancel(user, task_id))
    return redirect(f"/tasks/{task_id}", status=303) if _is_form(request) else _status(ended)


async def rewrite(request: AnyRequest, taskid: str) -> HTTPResponse:
    """`POST /tasks/<taskid>/rewrite`: a query that arrives after the design, as a task of its own.

    The body is JSON, or with the type `text/plain` or `application/sql` the query itself.
    """
    _refuse_encodings(request)
    task_id, user, context = parse_task_id(taskid), user_of(request), context_of(request)
    body = await context.bodies.read(request)
    as_text = request.headers.get("content-type", "").partition(";")[0].strip().lower() in _PLAIN_SQL
    made = await in_unit_of_work(context, lambda services: services.tasks.rewrite(user, task_id, body, as_text=as_text))
    return _json(orjson.dumps({"taskid": str(made)}))


async def recheck(request: AnyRequest, taskid: str) -> HTTPResponse:
    """`POST /tasks/<taskid>/recheck`: a design's conditions, checked again by a task of its own."""
    _refuse_encodings(request)
    task_id, user, context = parse_task_id(taskid), user_of(request), context_of(request)
    body = await context.bodies.read(request)
    made = await in_unit_of_work(context, lambda services: services.tasks.recheck(user, task_id, body))
    return _json(orjson.dumps({"taskid": str(made)}))


async def upload(request: AnyRequest) -> HTTPResponse:
    """`POST /upload`: the submit page's form, a chosen `file` or a pasted text in `workload`.

    A browser that shows pages goes on to the task's page; a script of ours gets the id. What is wrong is a problem that
    the page shows.
    """
    request.body = await context_of(request).bodies.read(request, extra=MULTIPART_BYTES)
    task_id = await _submit(request, _uploaded(request))
    if "text/html" in request.headers.get("accept", ""):
        return redirect(f"/tasks/{task_id}", status=303)
    return _json(orjson.dumps({"taskid": str(task_id)}))


async def healthz(request: AnyRequest) -> HTTPResponse:
    """`GET /healthz`: requests can be taken."""
    return _json(b'{"status":"ok"}')


async def unknown_api(request: AnyRequest, path: str = "") -> HTTPResponse:
    """Every other address below `/api/`: never a page."""
    raise NotFound("There is nothing at this address; /openapi.json lists what there is.")


async def _submit(request: AnyRequest, body: bytes) -> TaskId:
    user = user_of(request)
    return await in_unit_of_work(context_of(request), lambda services: services.tasks.submit(user, body))


def _uploaded(request: AnyRequest) -> bytes:
    for name in ("file", "workload"):
        file = request.files.get(name) if request.files else None
        if file is not None and file.body:
            return bytes(file.body)
    text = (request.form.get("workload") if request.form else None) or ""
    if not text.strip():
        raise InputError("Nothing was sent: paste a workload, or choose its JSON file.", code="workload_missing")
    return str(text).encode("utf-8", "replace")


def _refuse_encodings(request: AnyRequest) -> None:
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise InputError(
            f"The body's encoding is {encoding[:20]!r}: send it as it is, without Content-Encoding.",
            code="content_encoding",
            status=415,
        )


def _is_form(request: AnyRequest) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") and (
        "text/html" in request.headers.get("accept", "")
    )


def _status(found: TaskStatus) -> HTTPResponse:
    return _json(found.model_dump_json().encode())


def _json(body: bytes) -> HTTPResponse:
    return HTTPResponse(body, content_type="application/json")
