"""Everything a browser loads besides the pages: our CSS, JavaScript and pictures, ReactPy's client, Brython, and the
two packages of Python for the browser. All of it is served by us; no page names another host.

Compressed once per process and kept; an address that names a version or a hash is cached by the browser for good.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

import heavy_stack_brython
import orjson
import reactpy_bridge
from sanic import HTTPResponse, Request, Sanic, empty, raw
from sanic.exceptions import NotFound

import brython
from heavy_stack.frontend.reactpy_sanic import CLIENT_DIR, CLIENT_FILES, CLIENT_VERSION
from heavy_stack.settings import resource_dir

BRYTHON_VERSION = version("brython")
BRYTHON_DIR = Path(brython.__file__).parent / "data"
BRYTHON_FILES = ("brython.js", "brython_stdlib.js")
BROWSER_PACKAGES = (reactpy_bridge, heavy_stack_brython)
"""The only Python sources that a browser may read."""
MODULES_FILE = "py/modules.js"
"""The same sources as one script, so that an import in the browser costs no request."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".py": "text/x-python; charset=utf-8",
}
_OWN_FOLDERS = ("css", "js", "img", "vendor")
_COMPRESSED = frozenset({".css", ".js", ".svg", ".py"})
_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True)
class Asset:
    """One file as it is served: `body` is gzip'ed when `compressed`."""

    body: bytes
    compressed: bool
    content_type: str
    etag: str


def asset_url(path: str) -> str:
    """The address of a file below static/ with its content's hash, e.g. `css/app.css`."""
    return f"/static/{path}?v={_hash_of(path, _stamp(path))}"


def brython_url(file: str) -> str:
    """The address of a file of the Brython package."""
    return f"/static/brython/{BRYTHON_VERSION}/{file}"


def install_assets(app: Sanic[Any, Any]) -> None:
    """Serve `/static/…`."""

    async def serve(request: Request, path: str) -> HTTPResponse:
        stamp = _stamp(path)
        if stamp is None:
            raise NotFound("There is no such file.")
        asset = await asyncio.to_thread(_load, path, stamp)
        for_good = path.startswith(("brython/", "reactpy/")) or request.args.get("v") == asset.etag
        headers = {
            "etag": f'"{asset.etag}"',
            "cache-control": _FOR_GOOD if for_good else _ASK_AGAIN,
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        if asset.etag in (request.headers.get("if-none-match") or ""):
            return empty(status=304, headers=headers)
        body = asset.body
        if asset.compressed:
            if "gzip" in (request.headers.get("accept-encoding") or ""):
                headers["content-encoding"] = "gzip"
            else:
                body = await asyncio.to_thread(gzip.decompress, body)
        return raw(body, headers=headers, content_type=asset.content_type)

    app.add_route(serve, "/static/<path:path>", methods=["GET", "HEAD"], name="static_assets")


def _locate(path: str) -> Path | None:
    """The file behind an address below /static/, or None: an allow-list of folders, names and types."""
    pure = PurePosixPath(path)
    parts = pure.parts
    if pure.is_absolute() or ".." in parts or len(parts) < 2 or pure.suffix not in _TYPES:
        return None
    if parts[:2] == ("brython", BRYTHON_VERSION) and len(parts) == 3 and parts[2] in BRYTHON_FILES:
        return BRYTHON_DIR / parts[2]
    if parts[:2] == ("reactpy", CLIENT_VERSION) and len(parts) == 3 and parts[2] in CLIENT_FILES:
        return CLIENT_DIR / parts[2]
    if parts[0] == "py":
        return next((file for address, file in _browser_sources() if address == path), None)
    if parts[0] in _OWN_FOLDERS and pure.suffix != ".py":
        file = resource_dir("static").joinpath(*parts)
        return file if file.is_file() else None
    return None


def _browser_sources() -> list[tuple[str, Path]]:
    found = []
    for package in BROWSER_PACKAGES:
        folder = Path(str(package.__file__)).parent
        found += [(f"py/{folder.name}/{file.name}", file) for file in sorted(folder.glob("*.py"))]
    return found


def _stamp(path: str) -> tuple[int, ...] | None:
    """What changes when the file does, or None when there is no such file."""
    if path == MODULES_FILE:
        return tuple(file.stat().st_mtime_ns for _, file in _browser_sources())
    file = _locate(path)
    return None if file is None else (file.stat().st_mtime_ns,)


@lru_cache(maxsize=256)
def _hash_of(path: str, stamp: tuple[int, ...] | None) -> str:
    return hashlib.sha256(_read(path)).hexdigest()[:16]


@lru_cache(maxsize=256)
def _load(path: str, stamp: tuple[int, ...]) -> Asset:
    body = _read(path)
    suffix = PurePosixPath(path).suffix
    compressed = suffix in _COMPRESSED
    etag = hashlib.sha256(body).hexdigest()[:16]
    return Asset(gzip.compress(body, 6) if compressed else body, compressed, _TYPES[suffix], etag)


def _read(path: str) -> bytes:
    if path == MODULES_FILE:
        return _modules_script()
    file = _locate(path)
    if file is None:
        raise NotFound("There is no such file.")
    return file.read_bytes()


def _modules_script() -> bytes:
    """The two packages in the form of Brython's virtual file system: name → [kind, source, imports, is a package]."""
    modules: dict[str, Any] = {}
    for address, file in _browser_sources():
        package, name = PurePosixPath(address).parts[1:]
        stem = name.removesuffix(".py")
        source = file.read_text(encoding="utf-8")
        if stem == "__init__":
            modules[package] = [".py", source, [], True]
        else:
            modules[f"{package}.{stem}"] = [".py", source, [package]]
    return b"__BRYTHON__.use_VFS = true;\n__BRYTHON__.update_VFS(" + orjson.dumps(modules) + b");\n"
