"""Work that outlives a request: the broker, the actors, and the child processes that advance tasks.

Nothing here binds a broker or opens a connection at import. Outside this package nobody knows which broker it is.
Both names are loaded on first use: a child process imports this package too, and needs neither a broker nor a database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heavy_stack.backend.jobs.actors import declare
    from heavy_stack.backend.jobs.wake_up import message_sender

__all__ = ["declare", "message_sender"]


def __getattr__(name: str) -> Any:
    if name == "declare":
        from heavy_stack.backend.jobs.actors import declare

        return declare
    if name == "message_sender":
        from heavy_stack.backend.jobs.wake_up import message_sender

        return message_sender
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
