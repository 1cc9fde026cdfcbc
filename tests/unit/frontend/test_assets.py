"""What a browser may load: an allow-list, compressed, cached for good where the address names the content."""

from __future__ import annotations

import gzip
import json

import pytest

from heavy_stack.frontend import assets
from heavy_stack.frontend.assets import BRYTHON_VERSION, MODULES_FILE, asset_url, brython_url
from heavy_stack.frontend.reactpy_sanic import CLIENT_FILES, client_url


class TestLocate:
    @pytest.mark.parametrize(
        "path",
        [
            "css/app.css",
            "js/slim.js",
            "img/icon.svg",
            f"brython/{BRYTHON_VERSION}/brython.js",
            "py/reactpy_bridge/__init__.py",
            "py/reactpy_bridge/resident.py",
            "py/heavy_stack_brython/navigate.py",
            *[client_url(name).removeprefix("/static/") for name in CLIENT_FILES],
        ],
    )
    def test_files_of_the_pages_are_found(self, path: str) -> None:
        assert assets._stamp(path) is not None

    @pytest.mark.parametrize(
        "path",
        [
            "samples/make_retail.py",
            "samples/retail.json",
            "css/../../heavy_stack/settings.py",
            "py/../../heavy_stack/settings.py",
            "py/heavy_stack_brython/../reactpy_bridge/resident.py",
            "py/os.py",
            "py/brython/__init__.py",
            "js/../../pyproject.toml",
            "css/app.py",
            "css",
            "css/",
            "",
            "/etc/passwd",
            "css//etc/passwd.css",
            "brython/0.0/brython.js",
            f"brython/{BRYTHON_VERSION}/demo.html",
            f"brython/{BRYTHON_VERSION}/unicode.txt",
            "css/app.css\x00.js",
            "css/nothing.css",
        ],
    )
    def test_everything_else_is_not(self, path: str) -> None:
        assert assets._stamp(path) is None


class TestLoad:
    def test_text_is_compressed_and_named_by_its_content(self) -> None:
        stamp = assets._stamp("css/app.css")
        assert stamp is not None
        asset = assets._load("css/app.css", stamp)
        assert asset.compressed
        assert b"--accent" in gzip.decompress(asset.body)
        assert asset_url("css/app.css") == f"/static/css/app.css?v={asset.etag}"

    def test_brython_comes_from_its_package_under_its_version(self) -> None:
        assert brython_url("brython.js") == f"/static/brython/{BRYTHON_VERSION}/brython.js"


class TestModulesScript:
    def test_it_holds_both_packages_and_their_modules(self) -> None:
        text = assets._modules_script().decode()
        modules = json.loads(text[text.index("update_VFS(") + len("update_VFS(") : text.rindex(")")])
        assert modules["reactpy_bridge"][3] is True
        assert {"reactpy_bridge.resident", "heavy_stack_brython.navigate", "heavy_stack_brython.timezones"} <= set(
            modules
        )
        assert "def navigate_to" in modules["heavy_stack_brython.navigate"][1]

    def test_its_address_changes_with_the_sources(self) -> None:
        assert asset_url(MODULES_FILE).startswith("/static/py/modules.js?v=")
