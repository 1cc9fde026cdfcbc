"""One adapter per engine, behind the advisor's ports. DuckDB always runs in processes of its own.

`connect` and `EngineOptions` are loaded on first use: an engine process imports this package too, and must start
without the SQL layer (0.2 s instead of 0.7 s).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heavy_stack.backend.engines.connection import connect
    from heavy_stack.backend.engines.options import EngineOptions

__all__ = ["EngineOptions", "connect"]


def __getattr__(name: str) -> Any:
    if name == "connect":
        from heavy_stack.backend.engines.connection import connect

        return connect
    if name == "EngineOptions":
        from heavy_stack.backend.engines.options import EngineOptions

        return EngineOptions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
