"""From the keys in the settings to the cipher of the encrypted columns."""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from heavy_stack.errors import SettingsError

MIN_KEY_CHARACTERS = 32


def make_cipher(keys: Sequence[str]) -> MultiFernet:
    """A cipher for encrypted columns: the first key writes, every key reads.

    Each Fernet key is derived (HKDF-SHA256) from the setting, so that sessions, which are signed with keys of the same
    setting, never share key material with stored secrets.

    Args:
        keys: The entries of HEAVY_SECRET_KEYS, at least 32 characters each.

    Raises:
        SettingsError: There is no key, or one is too short.
    """
    if not keys:
        raise SettingsError("HEAVY_SECRET_KEYS is empty")
    if any(len(key) < MIN_KEY_CHARACTERS for key in keys):
        raise SettingsError(f"HEAVY_SECRET_KEYS: every key needs at least {MIN_KEY_CHARACTERS} characters")
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key))) for key in keys])


def _derive(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"heavy-stack stored secrets").derive(key.encode())
