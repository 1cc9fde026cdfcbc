"""The API as OpenAPI 3.1, built from the models; a test holds it against the route table."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from heavy_stack.backend.api.errors import CONTENT_TYPE, Problem
from heavy_stack.shared_models.answers import AnswerView, RecheckView
from heavy_stack.shared_models.tasks import TaskStatus
from heavy_stack.shared_models.workloads import LaterQuery, NewTask, RecheckWish

_SCHEMAS = "#/components/schemas/"
_EXAMPLE = {
    "url": "jdbc:trino://trino.example.org:443/lake?user=ann&SSL=true",
    "ddl": [{"statement": "CREATE TABLE lake.shop.orders (id bigint, day date, amount decimal(12,2))"}],
    "queries": [
        {
            "queryid": "q1",
            "query": "SELECT day, sum(amount) FROM lake.shop.orders GROUP BY day",
            "runquantity": 100,
            "executiontime": 12,
        }
    ],
}


class TaskCreated(BaseModel):
    """The answer of `POST /new`."""

    taskid: str


def build_document() -> dict[str, Any]:
    """The whole OpenAPI document."""
    inputs = [(model, "validation") for model in (NewTask, LaterQuery, RecheckWish)]
    outputs = [(model, "serialization") for model in (TaskCreated, TaskStatus, AnswerView, RecheckView, Problem)]
    _, definitions = models_json_schema([*inputs, *outputs], ref_template=_SCHEMAS + "{model}")  # type: ignore[list-item]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Heavy Stack",
            "version": _version(),
            "description": "Send a lakehouse workload; get back new tables, the statements that fill them, and each "
            "query rewritten, with what is known about its equality. Errors are problem+json (RFC 9457).",
        },
        "servers": [{"url": "/"}],
        "security": [{"basic": []}, {"session": []}],
        "paths": _paths(),
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "heavy_session",
                    "description": "Sign in at /sign-in.",
                },
            },
        },
    }


def _version() -> str:
    try:
        return version("heavy-stack")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0"


def _paths() -> dict[str, Any]:
    return {
        "/new": {
            "post": {
                "operationId": "new_task",
                "tags": ["Tasks"],
                "summary": "Submit a workload",
                "description": "The task is RUNNING from the moment it is stored. Passwords in `url` or the body are "
                "taken out before that.",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _ref("NewTask"), "example": _EXAMPLE}},
                },
                "responses": _responses({"200": _json("The task's id.", "TaskCreated")}, 401, 413, 415, 422, 429),
            }
        },
        "/status": {
            "get": {
                "operationId": "status",
                "tags": ["Tasks"],
                "summary": "How far a task is",
                "description": "The id may also be written `?taskid=<id>` or `?<id>`.",
                "parameters": [_task_id_parameter()],
                "responses": _responses({"200": _json("The status.", "TaskStatus")}, 400, 401, 404),
            }
        },
        "/getresult": {
            "get": {
                "operationId": "get_result",
                "tags": ["Tasks"],
                "summary": "The answer",
                "description": "`ddl` runs in order, then `migrations`, then the queries. It never changes; ask "
                "again with `If-None-Match`. The id may also be written `?taskid=<id>` or `?<id>`.",
                "parameters": [_task_id_parameter()],
                "responses": _responses(
                    {"200": _json("The answer.", "AnswerView"), "304": {"description": "You have it already."}},
                    400,
                    401,
                    404,
                    409,
                    422,
                ),
            }
        },
        "/tasks/{taskid}/download": {
            "get": {
                "operationId": "download",
                "tags": ["Tasks"],
                "summary": "The answer as .sql files",
                "parameters": [_path_parameter()],
                "responses": _responses(
                    {"200": {"description": "A zip.", "content": {"application/zip": {}}}}, 401, 404, 409, 422
                ),
            }
        },
        "/tasks/{taskid}/cancel": {
            "post": {
                "operationId": "cancel",
                "tags": ["Tasks"],
                "summary": "End a task",
                "parameters": [_path_parameter()],
                "responses": _responses({"200": _json("The status.", "TaskStatus")}, 401, 403, 404, 409),
            }
        },
        "/tasks/{taskid}/rewrite": {
            "post": {
                "operationId": "rewrite",
                "tags": ["Designs"],
                "summary": "A query that arrives after the design",
                "description": "Rewritten onto that task's tables, which stay as they are, by a task of its own: "
                "follow it with `/status`, and read its one text in `report.texts`.",
                "parameters": [_path_parameter()],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": _ref("LaterQuery")},
                        "text/plain": {"schema": {"type": "string", "description": "The query itself."}},
                    },
                },
                "responses": _responses(
                    {"200": _json("The new task's id.", "TaskCreated")}, 401, 403, 404, 409, 413, 415, 422, 429
                ),
            }
        },
        "/tasks/{taskid}/recheck": {
            "post": {
                "operationId": "recheck",
                "tags": ["Designs"],
                "summary": "Do a design's conditions still hold?",
                "description": "Each certificate of the report is run again by a task of its own, whose answer has "
                "what was found under `recheck` (`RecheckView`).",
                "parameters": [_path_parameter()],
                "requestBody": {"content": {"application/json": {"schema": _ref("RecheckWish")}}},
                "responses": _responses(
                    {"200": _json("The new task's id.", "TaskCreated")}, 401, 403, 404, 409, 413, 415, 422, 429
                ),
            }
        },
        "/healthz": {
            "get": {
                "operationId": "healthz",
                "tags": ["Service"],
                "summary": "Can requests be taken?",
                "security": [],
                "responses": {"200": {"description": "Yes."}},
            }
        },
    }


_MEANING = {
    400: "The task's id is missing.",
    401: "Credentials are missing or wrong.",
    403: "A page of another site sent this.",
    404: "No such task, or another user's.",
    409: "The state does not allow it: `/getresult` before the end has `Retry-After`.",
    413: "The body is too large.",
    415: "The body is compressed.",
    422: "The request has no meaning (place and cure are said); of `/getresult`: the task FAILED, with its code.",
    429: "Too many open tasks.",
}


def _responses(good: dict[str, Any], *bad: int) -> dict[str, Any]:
    problem = {CONTENT_TYPE: {"schema": _ref("Problem")}}
    return good | {str(status): {"description": _MEANING[status], "content": problem} for status in bad}


def _json(description: str, model: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(model)}}}


def _ref(model: str) -> dict[str, str]:
    return {"$ref": _SCHEMAS + model}


def _task_id_parameter() -> dict[str, Any]:
    return {"name": "task_id", "in": "query", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _path_parameter() -> dict[str, Any]:
    return {"name": "taskid", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
