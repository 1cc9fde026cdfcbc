"""Work that outlives a request: the broker, the actors, and the child processes that advance tasks.

Nothing here binds a broker or opens a connection at import. Outside this package nobody knows which broker it is.
"""

from heavy_stack.backend.jobs.actors import declare
from heavy_stack.backend.jobs.wake_up import message_sender

__all__ = ["declare", "message_sender"]
