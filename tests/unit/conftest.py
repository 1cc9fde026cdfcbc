"""For unit tests: no connection leaves this machine."""

from __future__ import annotations

import pytest
from pytest_socket import socket_allow_hosts


@pytest.fixture(autouse=True)
def _only_this_machine() -> None:
    """Allow loopback and Unix sockets; pytest-socket lifts the restriction after each test."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)
