"""Signed session cookies: who signed in, and until when. Nothing is stored on the server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

import orjson

COOKIE = "heavy_session"
# A cookie that is longer than this was not made here.
_MAX_COOKIE = 2048


class Sessions:
    """Issues and reads the cookie's value `<payload>.<signature>`, both base64url.

    Args:
        secrets: Keys of the service; the first one signs, each one is accepted.
        password: The password that was signed in with. It is part of the key, so changing it ends every session.
        hours: How long a session lasts.
        clock: Seconds since the epoch; for tests.
    """

    def __init__(
        self, secrets: Sequence[str], password: str, *, hours: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = [_derive(secret, password) for secret in secrets]
        self._clock = clock
        self.seconds = hours * 3600

    def issue(self, user: str) -> str:
        """A cookie value for a user who has just shown the password."""
        payload = orjson.dumps({"sub": user, "exp": int(self._clock()) + self.seconds})
        return f"{_encode(payload)}.{_encode(_sign(self._keys[0], payload))}"

    def read(self, value: str | None) -> str | None:
        """The user of a valid, unexpired value; None for anything else."""
        if not value or len(value) > _MAX_COOKIE:
            return None
        head, dot, tail = value.partition(".")
        try:
            payload, signature = _decode(head), _decode(tail)
        except ValueError:
            return None
        # Every key is tried whatever the first one says, so the time tells nothing.
        genuine = [hmac.compare_digest(_sign(key, payload), signature) for key in self._keys]
        if not dot or not any(genuine):
            return None
        content = orjson.loads(payload)
        return content["sub"] if content["exp"] > self._clock() else None


def _derive(secret: str, password: str) -> bytes:
    # Own label and own construction: never the key material of the encrypted columns.
    fingerprint = hashlib.sha256(password.encode()).digest()
    return hmac.digest(secret.encode(), b"heavy-stack session cookies\x00" + fingerprint, "sha256")


def _sign(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii", "strict") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
