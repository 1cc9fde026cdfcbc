"""Basic credentials, sign-in, and the throttle in front of both."""

from __future__ import annotations

import base64
from uuid import uuid4

import pytest

from heavy_stack.backend.api.authentication import MAX_VERDICTS, VERDICT_S, Authenticator
from heavy_stack.backend.api.sessions import Sessions
from heavy_stack.backend.api.throttle import MAX_ADDRESSES, MAX_FAILURES, WINDOW_S, Throttle
from heavy_stack.errors import NotAuthenticated
from heavy_stack.shared_models.users import User


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Users:
    """Counts how often a user is looked up."""

    def __init__(self) -> None:
        self.calls = 0

    async def find(self, name: str) -> User:
        self.calls += 1
        return User(id=uuid4(), external_id=name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def users() -> Users:
    return Users()


@pytest.fixture
def authenticator(clock: Clock, users: Users) -> Authenticator:
    sessions = Sessions(["k" * 40], "pässword:x", hours=1)
    return Authenticator("ann", "pässword:x", sessions, users.find, throttle=Throttle(clock), clock=clock)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


GOOD = basic("ann", "pässword:x")


class TestByBasic:
    async def test_finds_the_user_once(self, authenticator: Authenticator, users: Users) -> None:
        first = await authenticator.by_basic(GOOD, "a")
        assert first.external_id == "ann"
        assert await authenticator.by_basic(GOOD, "b") == first
        assert users.calls == 1

    @pytest.mark.parametrize("pair", [("ann", "wrong"), ("bob", "pässword:x"), ("", "")])
    async def test_refuses_a_wrong_pair(self, authenticator: Authenticator, pair: tuple[str, str]) -> None:
        with pytest.raises(NotAuthenticated) as caught:
            await authenticator.by_basic(basic(*pair), "a")
        assert caught.value.status == 401

    @pytest.mark.parametrize(
        "header", ["", "Bearer x", "Basic", "Basic ***", "Basic YQ==", "Basic /w==", "Basic " + "A" * 9000, "\udcff"]
    )
    async def test_refuses_what_is_no_basic_header(self, authenticator: Authenticator, header: str) -> None:
        with pytest.raises(NotAuthenticated):
            await authenticator.by_basic(header, "a")

    async def test_keeps_no_header_and_forgets_verdicts(self, authenticator: Authenticator, clock: Clock) -> None:
        for number in range(MAX_VERDICTS + 10):
            await authenticator.by_basic(GOOD, f"address {number}")
        assert len(authenticator._verdicts) == MAX_VERDICTS
        assert all(len(mark) == 32 for mark in authenticator._verdicts)
        clock.now += VERDICT_S + 1
        assert (await authenticator.by_basic(GOOD, "address 20")).external_id == "ann"


class TestThrottling:
    async def test_stops_guessing_from_one_address(self, authenticator: Authenticator, clock: Clock) -> None:
        for _ in range(MAX_FAILURES):
            with pytest.raises(NotAuthenticated, match="Wrong user"):
                await authenticator.sign_in("ann", "guess", "bad")
        with pytest.raises(NotAuthenticated, match="Too many") as caught:
            await authenticator.sign_in("ann", "pässword:x", "bad")
        assert caught.value.status == 429
        assert 0 < caught.value.context["retry_after_s"] <= WINDOW_S
        assert (await authenticator.by_basic(GOOD, "good")).external_id == "ann"
        clock.now += WINDOW_S
        assert await authenticator.sign_in("ann", "pässword:x", "bad")

    async def test_a_right_password_clears_the_count(self, authenticator: Authenticator) -> None:
        for _ in range(3):
            for _ in range(MAX_FAILURES - 1):
                with pytest.raises(NotAuthenticated, match="Wrong user"):
                    await authenticator.sign_in("ann", "guess", "a")
            await authenticator.sign_in("ann", "pässword:x", "a")

    def test_remembers_a_bounded_number_of_addresses(self, clock: Clock) -> None:
        throttle = Throttle(clock)
        for number in range(MAX_ADDRESSES + 5):
            throttle.failed(str(number))
        assert len(throttle._failures) == MAX_ADDRESSES


class TestSessionsOfUsers:
    async def test_a_signed_in_browser_is_known(self, authenticator: Authenticator) -> None:
        value = await authenticator.sign_in("ann", "pässword:x", "a")
        user = await authenticator.by_session(value)
        assert user is not None
        assert user.external_id == "ann"

    async def test_a_session_of_a_name_that_is_no_more_ends(self, authenticator: Authenticator) -> None:
        assert await authenticator.by_session(authenticator.sessions.issue("former")) is None
        assert await authenticator.by_session(None) is None
