"""Who is asking: Basic credentials of an API client, or the session cookie of a signed-in browser."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from heavy_stack.backend.api.sessions import Sessions
from heavy_stack.backend.api.throttle import Throttle
from heavy_stack.errors import NotAuthenticated
from heavy_stack.shared_models.users import User

# Verdicts over Basic headers that are remembered, and for how long.
MAX_VERDICTS = 1024
VERDICT_S = 300.0
# No header of ours is longer; a longer one is wrong without a look.
_MAX_HEADER = 4096

FindUser = Callable[[str], Awaitable[User]]


class Authenticator:
    """Checks credentials and turns them into users.

    Args:
        user: The one user name (`HEAVY_AUTH_USER`).
        password: The password.
        sessions: The session cookies.
        find_user: User name → user; called once per name and process.
    """

    def __init__(
        self,
        user: str,
        password: str,
        sessions: Sessions,
        find_user: FindUser,
        *,
        throttle: Throttle | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sessions = sessions
        self._user = user
        self._expected = _digest(user, password)
        self._find_user = find_user
        self._users: dict[str, User] = {}
        self._throttle = throttle or Throttle()
        self._clock = clock
        # Headers are kept as HMACs under a key of this process: a memory dump shows no password.
        self._key = secrets.token_bytes(32)
        self._verdicts: OrderedDict[bytes, float] = OrderedDict()

    async def by_basic(self, header: str, address: str) -> User:
        """The user of an `Authorization` header.

        Args:
            header: The header's value.
            address: Who sent it, for the throttle.

        Raises:
            NotAuthenticated: Wrong or malformed (401), or too many wrong ones from there (429, `too_many_attempts`).
        """
        seen = f"{address}\x00{header[:_MAX_HEADER]}".encode("utf-8", "surrogateescape")
        mark = hmac.digest(self._key, seen, "sha256")
        expires = self._verdicts.get(mark)
        if expires is None or expires < self._clock():
            given = _read_basic(header)
            if given is None:
                raise NotAuthenticated("The Authorization header is not of the form: Basic <base64 of user:password>.")
            self._check(*given, address)
            self._verdicts[mark] = self._clock() + VERDICT_S
            self._verdicts.move_to_end(mark)
            if len(self._verdicts) > MAX_VERDICTS:
                self._verdicts.popitem(last=False)
        return await self._get_user(self._user)

    async def by_session(self, cookie: str | None) -> User | None:
        """The user of a session cookie's value, or None when it is missing, forged or expired."""
        name = self.sessions.read(cookie)
        return await self._get_user(name) if name == self._user and name is not None else None

    async def sign_in(self, user: str, password: str, address: str) -> str:
        """A session cookie's value for the right name and password.

        Raises:
            NotAuthenticated: Wrong (401), or too many wrong ones from there (429, `too_many_attempts`).
        """
        self._check(user, password, address)
        await self._get_user(user)
        return self.sessions.issue(user)

    def _check(self, user: str, password: str, address: str) -> None:
        wait_s = self._throttle.wait_s(address)
        if wait_s:
            raise NotAuthenticated(
                f"Too many wrong passwords came from this address. Try again in {wait_s} seconds.",
                code="too_many_attempts",
                status=429,
                retryable=True,
                context={"retry_after_s": wait_s},
            )
        if not hmac.compare_digest(_digest(user, password), self._expected):
            self._throttle.failed(address)
            raise NotAuthenticated("Wrong user name or password.")
        self._throttle.succeeded(address)

    async def _get_user(self, name: str) -> User:
        user = self._users.get(name)
        if user is None:
            user = self._users[name] = await self._find_user(name)
        return user


def _digest(user: str, password: str) -> bytes:
    # Hashed apart, so that neither the lengths nor the place of the colon show in the time or let two pairs be equal.
    return (
        hashlib.sha256(user.encode("utf-8", "replace")).digest()
        + hashlib.sha256(password.encode("utf-8", "replace")).digest()
    )


def _read_basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > _MAX_HEADER:
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None
