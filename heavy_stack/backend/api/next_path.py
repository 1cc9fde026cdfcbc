"""Where a browser goes after signing in: a path of ours, never another site."""

from __future__ import annotations

from urllib.parse import urlsplit

MAX_LENGTH = 2000


def local_path(path: str | None) -> str:
    """The path itself when it is one of ours, else "/".

    Refused are other hosts in all their spellings (`https://…`, `//host`, `/\\host`: browsers read a backslash as a
    slash) and control characters (browsers drop a tab in `/<tab>/host`).
    """
    if not path or len(path) > MAX_LENGTH or not path.startswith("/") or path.startswith("//"):
        return "/"
    if "\\" in path or not path.isprintable() or " " in path:
        return "/"
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else path
