"""Settings for tests: nothing of the machine's environment or `.env` shows through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from heavy_stack.settings import Settings, load_settings

TEST_KEY = "a key for tests only: 32 characters or more"
TEST_PASSWORD = "a password for tests only"


def make_settings(data_dir: Path, database_url: str | None = None, **overrides: Any) -> Settings:
    """Settings of a service whose files stand below `data_dir`; SQLite there unless an address is given."""
    given: dict[str, Any] = {"auth_password": TEST_PASSWORD, "secret_keys": TEST_KEY, "lease_s": 5, **overrides}
    return load_settings(_env_file=None, data_dir=data_dir, database_url=database_url, **given)
