"""Reads the body of `POST /new`: strict JSON, one readable sentence per problem, no credentials in what is stored.

Nothing here parses SQL: what concerns one query is the worker's, which keeps and marks it. Refused is only what makes
the request as a whole meaningless. Decisions a client may meet:

- A `queryid` is text. A number is refused with the cure, because the answer carries it as text, and a client that
  looks for `1` would not find `"1"`.
- A whole number may be written `3.0`; a boolean or a number in quotes is no number. `runquantity` may be 0.
- Unknown fields of the body, a statement or a query are ignored; an unknown option is refused, since a misspelt wish
  would be silently lost. A name that stands twice in one object is refused: one of the two would be silently lost.
- `"options": null` is the same as none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ValidationError

from heavy_stack.backend.data.model_managers.task_ddl import created_table
from heavy_stack.backend.data.model_managers.task_url import is_secret_name, take_credentials
from heavy_stack.errors import BodyTooLarge, WorkloadFormat
from heavy_stack.settings import Settings
from heavy_stack.shared_models.workloads import DdlStatement, NewTask, TaskOptions

# More than these are counted, not listed: an error has to be read by a person.
MAX_PROBLEMS = 20
# Object names, client-written, that appear in a message are cut here.
MAX_NAME = 80

_JSON_TYPES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
}
_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\x1f\x8b", "gzip"),
)


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Intake:
    """A workload that can be stored.

    Attributes:
        request: Canonical JSON (UTF-8) of a `NewTask`, without credentials.
        url: The address without credentials.
        credentials: What was taken out, by parameter name; None when there was nothing.
        query_count: Number of queries.
        table_count: Number of different tables that the DDL creates.
        options: The task's wishes.
    """

    request: bytes
    url: str
    credentials: dict[str, str] | None
    query_count: int
    table_count: int
    options: TaskOptions


def read_new_task(body: bytes, settings: Settings) -> Intake:
    """Validate a request body and split it into what is stored in clear and the credentials.

    Holds the interpreter for about 7 ms per MiB: the caller runs large bodies in a thread.

    Raises:
        BodyTooLarge: The body is above `HEAVY_MAX_BODY_BYTES`.
        WorkloadFormat: It is not a workload; `context` has the place, and up to 20 problems with theirs.
    """
    if len(body) > settings.max_body_bytes:
        raise BodyTooLarge(
            f"The body has {len(body):,} bytes; this service takes at most {settings.max_body_bytes:,} "
            "(HEAVY_MAX_BODY_BYTES)."
        )
    content = read_object(body)
    _refuse_double_names(body, content)
    if b"\\u0000" in body:
        _refuse_nul(content, "")
    _take_whole_floats(content)
    task = _validate(content, settings)
    _check_query_ids(task)
    table_count = _check_ddl(task.ddl)
    clean = take_credentials(task.url)
    credentials = dict(clean.credentials)
    for name, value in content.items():
        if name not in NewTask.model_fields and isinstance(value, str) and is_secret_name(name):
            credentials[name] = value
    stored = task.model_copy(update={"url": clean.url})
    return Intake(
        request=stored.model_dump_json(exclude_none=True).encode(),
        url=clean.url,
        credentials=credentials or None,
        query_count=len(task.queries),
        table_count=table_count,
        options=task.options,
    )


def _refuse(message: str, place: str, **context: Any) -> WorkloadFormat:
    return WorkloadFormat(message, context={"place": place, **context})


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a request's body.

    Raises:
        WorkloadFormat: It is none; the place is named.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise _refuse("The body is empty: send a JSON object.", "byte 0")
    for mark, name in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            raise _refuse(f"The body is {name}: send it as plain UTF-8.", "byte 0")
    if b"\x00" in body[:4]:
        raise _refuse("The body is UTF-16 or UTF-32: send it as UTF-8.", "byte 0")
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _json_problem(body, error) from None
    if not isinstance(content, dict):
        kind = _JSON_TYPES[type(content)]
        raise _refuse(f"The body is {kind}: send a JSON object.", "byte 0")
    return content


def _json_problem(body: bytes, error: orjson.JSONDecodeError) -> WorkloadFormat:
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        line = body.count(b"\n", 0, wrong.start) + 1
        return _refuse(
            f"The body is not UTF-8: byte {wrong.start} (0x{body[wrong.start]:02x}, line {line}) fits no character. "
            "Send it as UTF-8.",
            f"byte {wrong.start}",
            byte=wrong.start,
            line=line,
        )
    place = f"line {error.lineno}, column {error.colno}"
    rest = error.doc[max(error.pos - 1, 0) : error.pos + 10].lstrip(":, [\n-")
    if "depth limit" in error.msg:
        text = f"The body is nested too deeply at {place}: a workload needs four levels."
    elif rest.startswith(("NaN", "Infinity")):
        text = f"The body has NaN or Infinity at {place}, which JSON does not know: leave the field out."
    elif "surrogate" in error.msg:
        text = f"Text at {place} has half of a surrogate pair, which is no character: write the whole pair or none."
    else:
        text = f"The body is not JSON at {place}: {error.msg}."
    return _refuse(text, place, line=error.lineno, column=error.colno)


def _refuse_double_names(body: bytes, content: dict[str, Any]) -> None:
    # orjson keeps the last of two equal names. Counting the quoted names is nearly free; only when there are more of
    # them than objects is the body read again with an eye on each object's names.
    queries, ddl = content.get("queries"), content.get("ddl")
    query_count = len(queries) if isinstance(queries, list) else 0
    ddl_count = len(ddl) if isinstance(ddl, list) else 0
    expected = {b"url": 1, b"ddl": 1, b"queries": 1, b"options": 1, b"statement": ddl_count}
    expected |= dict.fromkeys((b"queryid", b"query", b"runquantity", b"executiontime"), query_count)
    if all(body.count(b'"%b"' % name) <= count for name, count in expected.items()):
        return

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise _refuse(f"The name {_shown(name)} stands twice in one object: keep one of them.", _cut(name))
            found[name] = value
        return found

    try:
        json.loads(body.decode("utf-8-sig"), object_pairs_hook=unique)
    except (RecursionError, ValueError):
        raise _refuse("The body is nested too deeply: a workload needs four levels.", "byte 0") from None


def _refuse_nul(value: Any, path: str) -> None:
    todo = [(value, path)]
    while todo:
        value, path = todo.pop()
        if isinstance(value, str) and "\x00" in value:
            raise _refuse(
                f"{path} has the character U+0000 at position {value.index(chr(0))}, which no database stores: "
                "remove it.",
                path,
            )
        if isinstance(value, dict):
            todo.extend((item, f"{path}.{_cut(name)}".lstrip(".")) for name, item in value.items())
            todo.extend((name, f"a name in {path or 'the body'}") for name in value)
        elif isinstance(value, list):
            todo.extend((item, f"{path}[{index}]") for index, item in enumerate(value))


def _take_whole_floats(content: dict[str, Any]) -> None:
    if content.get("options", ...) is None:
        del content["options"]
    queries, options = content.get("queries"), content.get("options")
    objects = list(queries) if isinstance(queries, list) else []
    names = ["runquantity"]
    for item in objects:
        if type(item) is dict:
            _whole(item, names)
    if isinstance(options, dict):
        _whole(options, list(options))


def _whole(item: dict[str, Any], names: list[str]) -> None:
    for name in names:
        value = item.get(name)
        if type(value) is float and value.is_integer():
            item[name] = int(value)


def _validate(content: dict[str, Any], settings: Settings) -> NewTask:
    queries = content.get("queries")
    if isinstance(queries, list) and len(queries) > settings.max_queries:
        raise _refuse(
            f"The workload has {len(queries):,} queries; this service takes at most {settings.max_queries:,} "
            "(HEAVY_MAX_QUERIES).",
            "queries",
        )
    task = validated(NewTask, content, TaskOptions)
    if task.options.design is not None:
        try:
            UUID(task.options.design)
        except ValueError:
            raise _refuse("options.design must be the id of a task.", "options.design") from None
    return task


def validated(model: type[M], content: dict[str, Any], strict_part: type[BaseModel] | None = None) -> M:
    """The object as `model`, strictly read.

    Args:
        model: What it should be.
        content: The object.
        strict_part: The model within it that refuses unknown names; `model` itself unless named.

    Raises:
        WorkloadFormat: With one sentence per problem, and its place.
    """
    try:
        return model.model_validate(content, strict=True)
    except ValidationError as error:
        problems = [
            _sentence(item, content, strict_part or model)  # type: ignore[arg-type]
            for item in error.errors(include_input=False, include_url=False)[:MAX_PROBLEMS]
        ]
        raise _problems(problems, error.error_count()) from None


def _problems(problems: list[tuple[str, str]], count: int) -> WorkloadFormat:
    text = " ".join(sentence for _, sentence in problems)
    if count > len(problems):
        text += f" And {count - len(problems):,} more."
    listed = [{"place": place, "message": sentence} for place, sentence in problems]
    return _refuse(text, problems[0][0], problems=listed, problem_count=count)


def _sentence(item: dict[str, Any], content: dict[str, Any], strict: type[BaseModel]) -> tuple[str, str]:
    """One problem as (place, sentence); the value itself is never shown, it may be a secret."""
    path, kind = "", item["type"]
    value: Any = content
    missing = False
    for step in item["loc"]:
        path += f"[{step}]" if isinstance(step, int) else ("." if path else "") + _cut(str(step))
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            missing = True
    actual = _JSON_TYPES.get(type(value), "something else")
    if kind == "missing" or missing:
        return path, f"{path} is missing."
    if kind == "extra_forbidden":
        known = ", ".join(strict.model_fields)
        if strict is TaskOptions:
            return path, f"{path} is not an option of a task; the options are {known}."
        return path, f"{path} is not known here; the names are {known}."
    if path.endswith(".queryid") and type(value) in (int, float):
        return path, f"{path} must be text, not a number: put it in quotes, so that the answer's id equals yours."
    if kind in _EXPECTED:
        if kind == "int_type" and type(value) is float:
            actual = "a fraction"
        return path, f"{path} must be {_EXPECTED[kind]}, not {actual}."
    if kind == "too_short" or kind == "string_too_short":
        return path, f"{path} is empty: it needs at least one {'character' if 'string' in kind else 'entry'}."
    if kind == "string_too_long":
        return path, f"{path} is too long: at most {item['ctx']['max_length']:,} characters."
    return path, f"{path}: {item['msg'].removeprefix('Input ').replace('should be', 'must be', 1)}."


def _check_query_ids(task: NewTask) -> None:
    seen: dict[str, int] = {}
    problems: list[tuple[str, str]] = []
    count = 0
    for index, query in enumerate(task.queries):
        first = seen.setdefault(query.queryid, index)
        if first != index:
            count += 1
            if len(problems) < MAX_PROBLEMS:
                place = f"queries[{index}].queryid"
                problems.append((place, f"{place} {_shown(query.queryid)} is the same as that of queries[{first}]."))
    if problems:
        raise _problems(problems, count)


def _check_ddl(ddl: list[DdlStatement]) -> int:
    tables: set[tuple[str, ...]] = set()
    short: list[tuple[int, tuple[str, ...]]] = []
    catalogs: dict[str, int] = {}
    for index, item in enumerate(ddl):
        name = created_table(item.statement)
        if name is None:
            continue
        if len(name) != 3:
            short.append((index, name))
            continue
        folded = tuple(part.lower() for part in name)
        tables.add(folded)
        catalogs.setdefault(folded[0], index)
    if not tables:
        if short:
            index, name = short[0]
            raise _refuse(
                f"No table of the DDL has a full name: ddl[{index}].statement creates {_shown('.'.join(name))}; "
                "write <catalog>.<schema>.<table>.",
                f"ddl[{index}].statement",
            )
        raise _refuse(
            "The DDL creates no table: at least one statement must be CREATE TABLE <catalog>.<schema>.<table> (…).",
            "ddl",
        )
    if len(catalogs) > 1:
        first, second = list(catalogs)[:2]
        index = catalogs[second]
        raise _refuse(
            f"The DDL names more than one catalog ({_shown(first)}, and {_shown(second)} in ddl[{index}].statement); "
            "one catalog per task is supported.",
            f"ddl[{index}].statement",
        )
    return len(tables)


def _cut(name: str) -> str:
    safe = "".join(char if char.isprintable() else "\ufffd" for char in name[: MAX_NAME + 1])
    return safe if len(safe) <= MAX_NAME else safe[:MAX_NAME] + "…"


def _shown(name: str) -> str:
    return f'"{_cut(name)}"'
