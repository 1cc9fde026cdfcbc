"""Column types that mean the same on SQLite and PostgreSQL.

Encrypted columns get their keys from the engine that runs the statement (`attach_cipher`): no module holds a key, and
two engines in one process may use different ones.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from cryptography.fernet import InvalidToken, MultiFernet
from sqlalchemy import JSON, BigInteger, DateTime, Integer, LargeBinary, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator

from heavy_stack.errors import SettingsError

_CIPHER_ATTRIBUTE: Final = "heavy_stack_cipher"


def utc_now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, UTC datetimes out; a naive one is refused, since nobody knows which hour it means."""

    impl = DateTime
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; SQLite stores text without an offset."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("a datetime needs a timezone before it is stored, e.g. datetime.now(UTC)")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back to an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.utcoffset() is None else value.astimezone(UTC)


class ClosedSet(TypeDecorator[StrEnum]):
    """A StrEnum stored by value as text. HeavyModel adds the CHECK; no native enum, so adding a member is one CHECK."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """The member's value; anything else is a ValueError before it reaches the database."""
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """The member."""
        return None if value is None else self.members(value)


class JsonValue(TypeDecorator[Any]):
    """JSON whose None is SQL NULL, never the JSON word null."""

    impl = JSON
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)


class SequenceNumber(TypeDecorator[int]):
    """A 64-bit number that the database counts up. SQLite counts only in columns declared INTEGER."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """INTEGER on SQLite, BIGINT elsewhere."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class EncryptedBytes(TypeDecorator[bytes]):
    """Bytes that are stored encrypted (MultiFernet: the first key writes, every key reads). None stays NULL.

    Raises:
        SettingsError: The engine has no keys, or none of them opens the stored value.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Encrypt."""
        return None if value is None else _cipher(dialect).encrypt(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Decrypt."""
        return None if value is None else _decrypt(bytes(value), dialect)


class EncryptedText(TypeDecorator[str]):
    """Text that is stored encrypted; see `EncryptedBytes`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt; the token is ASCII."""
        return None if value is None else _cipher(dialect).encrypt(value.encode()).decode("ascii")

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt."""
        return None if value is None else _decrypt(value.encode("ascii"), dialect).decode()


def attach_cipher(engine: AsyncEngine, cipher: MultiFernet) -> None:
    """Give an engine the keys for its encrypted columns."""
    setattr(engine.sync_engine.dialect, _CIPHER_ATTRIBUTE, cipher)


def _cipher(dialect: Dialect) -> MultiFernet:
    cipher = getattr(dialect, _CIPHER_ATTRIBUTE, None)
    if not isinstance(cipher, MultiFernet):
        raise SettingsError("this database engine was opened without keys, so it can neither write nor read secrets")
    return cipher


def _decrypt(token: bytes, dialect: Dialect) -> bytes:
    try:
        return _cipher(dialect).decrypt(token)
    except InvalidToken:
        raise SettingsError(
            "a stored secret cannot be opened with HEAVY_SECRET_KEYS; append the key that wrote it to the list"
        ) from None
