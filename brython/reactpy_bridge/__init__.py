"""The bridge between ReactPy on the server and Python in the browser; imported on both sides.

`called_from_reactpy` marks the functions that the server may call in the browser: the mark is the allow-list. The
server reads it to build a call (`target_of`), the browser refuses every call whose function does not carry it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # the browser has no reason to fetch `typing`
    from collections.abc import Callable
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

_ALLOWED: dict[str, Callable[..., Any]] = {}


def target_of(function: Callable[..., Any]) -> str:
    """The name under which a call travels: `module:function`."""
    return f"{function.__module__}:{function.__name__}"


def called_from_reactpy(function: Function) -> Function:
    """Allow the server to call this function in the browser.

    Calls carry keyword arguments only, as JSON. The function may be `async`. What it returns goes back to the server as
    JSON, so the server must treat it as the client's word.
    """
    _ALLOWED[target_of(function)] = function
    return function


def find_allowed(target: str) -> Callable[..., Any] | None:
    """The function behind `module:function`, or None when it is not marked with `called_from_reactpy`."""
    return _ALLOWED.get(target)
