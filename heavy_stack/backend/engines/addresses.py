"""What a task's `url` names, and whether it may be touched. Reasons are sentences for the report, without secrets."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from heavy_stack.backend.engines.options import EngineOptions

_DUCKDB = "jdbc:duckdb:"
_TRINO = "jdbc:trino:"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
FILE_SUFFIX = ".duckdb"


class Unreachable(Exception):
    """The address cannot be used; the message says why. The task goes on with the DDL and the queries alone."""


def find_lake(url: str, options: EngineOptions) -> Path:
    """The folder or `.duckdb` file that the url names, resolved, certainly below a lake root.

    Raises:
        Unreachable: Another kind of url, not there, or not below a lake root after following symbolic links.
    """
    lowered = url.strip().lower()
    if lowered.startswith(_TRINO):
        raise Unreachable(_why_not_trino(url.strip(), options))
    if not lowered.startswith(_DUCKDB):
        raise Unreachable("The url names no engine that this version knows (jdbc:duckdb:, jdbc:trino:).")
    text = url.strip()[len(_DUCKDB) :]
    path = Path(text)
    if not text or "\x00" in text or not path.is_absolute():
        raise Unreachable("jdbc:duckdb: needs an absolute folder or .duckdb file.")
    if ".." in path.parts:
        raise Unreachable("The url's path contains `..`: write the folder's own path.")
    try:
        resolved = path.resolve(strict=True)
        roots = [root.resolve() for root in options.lake_roots]
    except (OSError, RuntimeError):
        resolved, roots = path, []
        exists = False
    else:
        exists = True
    # One sentence for both: whether something exists outside the roots is nobody's business.
    if not exists or not any(resolved == root or resolved.is_relative_to(root) for root in roots):
        raise Unreachable("The url's folder is not there, or not below a folder that HEAVY_LAKE_ROOTS names.")
    if not resolved.is_dir() and not (resolved.is_file() and resolved.suffix.lower() == FILE_SUFFIX):
        raise Unreachable(f"The url's path is neither a folder nor a {FILE_SUFFIX} file.")
    return resolved


def _why_not_trino(url: str, options: EngineOptions) -> str:
    try:
        parts = urlsplit(url[len("jdbc:") :])
        host = (parts.hostname or "").lower()
        secure = parse_qs(parts.query).get("SSL", ["false"])[0].lower() == "true"
        port = parts.port or (443 if secure else 8080)
    except ValueError:
        host, port = "", 0
    if not host:
        return "The url names no Trino host."
    address = f"{host}:{port}"
    allowed = any(fnmatchcase(address, pattern.lower()) for pattern in options.trino_allow)
    if not allowed and not (options.embedded and host in _LOOPBACK):
        return f"Trino at {address} was not contacted: HEAVY_TRINO_ALLOW does not name it."
    return f"Trino at {address} was not contacted: this version does not contact Trino yet."
