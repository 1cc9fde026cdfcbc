"""The route table and what is derived from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sanic import Sanic

from heavy_stack.backend.api.openapi import build_document
from heavy_stack.backend.api.routes import RESERVED, ROUTES, Access, is_page
from heavy_stack.main import build_app
from tests.support.settings import make_settings

# Served to browsers only; everything else is part of the API and described.
UNDESCRIBED = {
    *("upload", "openapi", "docs", "show_sign_in", "sign_in", "sign_out", "unknown_api", "unknown_api_root"),
}


def openapi_path(path: str) -> str:
    return re.sub(r"<(\w+)(:\w+)?>", r"{\1}", path)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Sanic]:
    made = build_app(make_settings(tmp_path))
    yield made
    Sanic.unregister_app(made)


class TestTable:
    def test_names_are_unique(self) -> None:
        names = [route.name for route in ROUTES]
        assert len(names) == len(set(names))

    def test_public_routes_are_these(self) -> None:
        public = {route.path for route in ROUTES if route.access is Access.PUBLIC}
        assert public == {"/healthz", "/openapi.json", "/docs", "/sign-in", "/sign-out", "/api", "/api/<path:path>"}

    def test_forms_without_a_session_are_checked_for_their_origin(self) -> None:
        open_posts = {
            r.path for r in ROUTES if r.access is Access.PUBLIC and "POST" in r.methods and "GET" not in r.methods
        }
        assert open_posts == {r.path for r in ROUTES if r.form} == {"/sign-in", "/sign-out"}

    def test_head_goes_with_get(self) -> None:
        assert all(("GET" in route.methods) == ("HEAD" in route.methods) for route in ROUTES)


class TestIsPage:
    @pytest.mark.parametrize("path", ["/", "/tasks/1", "/tasks/1/result", "/nowhere", "/a/b/c", "/sign-in", "/docs"])
    def test_a_browser_may_expect_one(self, path: str) -> None:
        assert is_page(path)

    @pytest.mark.parametrize(
        "path",
        ["/new", "/status", "/status/", "/getresult", "/healthz", "/api", "/api/x", "/x.py", "/.env", "/a/b.php"],
    )
    def test_names_of_the_api_and_files_are_none(self, path: str) -> None:
        assert not is_page(path)

    def test_every_name_of_the_api_is_reserved(self) -> None:
        assert {"new", "status", "getresult", "healthz", "openapi.json", "api"} <= RESERVED


class TestOpenApi:
    def test_describes_the_api_of_the_table_and_nothing_else(self) -> None:
        described = {
            (path, method.upper(), operation["operationId"])
            for path, operations in build_document()["paths"].items()
            for method, operation in operations.items()
        }
        assert described == {
            (openapi_path(route.path), method, route.name)
            for route in ROUTES
            if route.name not in UNDESCRIBED
            for method in route.methods
            if method != "HEAD"
        }

    def test_open_operations_are_the_public_ones(self) -> None:
        for path, operations in build_document()["paths"].items():
            for operation in operations.values():
                route = next(route for route in ROUTES if route.name == operation["operationId"])
                assert (operation.get("security") == []) == (route.access is Access.PUBLIC), path

    def test_every_reference_leads_somewhere(self) -> None:
        document = build_document()
        names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
        assert {"NewTask", "TaskStatus", "AnswerView", "Problem"} <= names
        assert names <= set(document["components"]["schemas"])


class TestSanicRoutes:
    def test_every_line_of_the_table_is_a_route(self, app: Sanic) -> None:
        registered = {(f"/{route.path}", method) for route in app.router.routes for method in route.methods}
        for route in ROUTES:
            path = route.path.replace(":str>", ":str>")
            assert {(path, method) for method in route.methods} <= registered

    def test_every_post_route_is_in_the_table(self, app: Sanic) -> None:
        changing = {f"/{route.path}" for route in app.router.routes if not route.methods <= {"GET", "HEAD", "OPTIONS"}}
        assert changing == {route.path for route in ROUTES if route.changes}
