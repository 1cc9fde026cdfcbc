"""Signed session cookies."""

from __future__ import annotations

import base64
import json

import pytest

from heavy_stack.backend.api.sessions import Sessions

KEY, OTHER_KEY = "k" * 40, "o" * 40


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions([KEY], "pw", hours=2, clock=clock)


class TestSessions:
    class TestRead:
        def test_knows_what_was_issued(self, sessions: Sessions) -> None:
            assert sessions.read(sessions.issue("ann")) == "ann"

        def test_ends_with_the_time(self, sessions: Sessions, clock: Clock) -> None:
            value = sessions.issue("ann")
            clock.now += 2 * 3600 - 1
            assert sessions.read(value) == "ann"
            clock.now += 1
            assert sessions.read(value) is None

        def test_ends_when_the_password_changes(self, sessions: Sessions, clock: Clock) -> None:
            assert Sessions([KEY], "another", hours=2, clock=clock).read(sessions.issue("ann")) is None

        def test_survives_a_new_key_until_the_old_one_goes(self, sessions: Sessions, clock: Clock) -> None:
            value = sessions.issue("ann")
            assert Sessions([OTHER_KEY, KEY], "pw", hours=2, clock=clock).read(value) == "ann"
            assert Sessions([OTHER_KEY], "pw", hours=2, clock=clock).read(value) is None

        def test_refuses_a_changed_payload(self, sessions: Sessions) -> None:
            _, signature = sessions.issue("ann").split(".")
            forged = base64.urlsafe_b64encode(json.dumps({"sub": "bob", "exp": 2**40}).encode()).rstrip(b"=").decode()
            assert sessions.read(f"{forged}.{signature}") is None

        @pytest.mark.parametrize("value", [None, "", ".", "a.b", "é.é", "x" * 5000, "{}", "a.b.c", "====.===="])
        def test_refuses_what_is_no_cookie_of_ours(self, sessions: Sessions, value: str | None) -> None:
            assert sessions.read(value) is None
