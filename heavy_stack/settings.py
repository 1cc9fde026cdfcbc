"""All settings, read once at start and passed in. Prefix `HEAVY_`; template.env lists every one with its default."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url

from heavy_stack.errors import SettingsError

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(BaseSettings):
    """One frozen object; importing this module reads nothing."""

    model_config = SettingsConfigDict(env_prefix="HEAVY_", env_file=".env", extra="ignore", frozen=True)

    # Address the web server listens on. Loopback (with no database address) = the embedded form.
    host: str = "127.0.0.1"
    # Port the web server listens on.
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    # Everything that the embedded form writes: database, keys, scratch, lake, logs.
    data_dir: Path = Path("var")
    # User of the API (Basic) and of the sign-in form.
    auth_user: str = "admin"
    # Password for both; in the embedded form one is generated into data_dir/password (mode 0600) when this is empty.
    auth_password: SecretStr | None = None
    # PostgreSQL address; empty = DATABASE_URL, else DB_*, else SQLite below data_dir.
    database_url: SecretStr | None = None
    # Address of the vector database; empty = the main one.
    vector_database_url: SecretStr | None = None
    # Redis address; reserved: this version claims work from the database.
    redis_url: SecretStr | None = None
    # Number of web processes.
    web_workers: Annotated[int, Field(ge=1, le=64)] = 1
    # Number of managed worker processes started by `serve`; 0 = they run elsewhere (`heavy-stack worker`).
    worker_processes: Annotated[int, Field(ge=0, le=64)] = 1
    # Tasks that one worker process advances at the same time; each has a child process of its own.
    worker_concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    # Memory limit of a task's child process and of its engine process, each, in MiB.
    child_memory_mb: Annotated[int, Field(ge=256)] = 4096
    # Memory that DuckDB may use, in MiB.
    duckdb_memory_mb: Annotated[int, Field(ge=128)] = 1024
    # Threads of DuckDB.
    duckdb_threads: Annotated[int, Field(ge=1, le=256)] = 2
    # Time budget of a task, in seconds; a client gives up at 15 minutes.
    task_budget_s: Annotated[int, Field(ge=5, le=720)] = 720
    # Seconds a claimed task belongs to its worker without a heartbeat.
    lease_s: Annotated[float, Field(ge=1, le=120)] = 4.0
    # Folders that `jdbc:duckdb:` may name, separated by `:`; empty = data_dir/lake.
    lake_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    # host:port patterns of Trino servers that may be contacted, separated by commas.
    trino_allow: Annotated[tuple[str, ...], NoDecode] = ()
    # May the service build a design in a scratch schema of the client's catalog?
    scratch_writes: Literal["never", "asked", "always"] = "asked"
    # Catalog patterns where it may, separated by commas.
    scratch_catalogs: Annotated[tuple[str, ...], NoDecode] = ()
    # The address under which browsers see this service; empty = from the codespace's forwarding domain, else none.
    public_url: str | None = None
    # Addresses of reverse proxies whose forwarded headers are believed, separated by commas.
    proxies: Annotated[tuple[str, ...], NoDecode] = ()
    # Keys for credentials and sessions, separated by commas; the first encrypts. Embedded: data_dir/secret.key (0600).
    secret_keys: SecretStr | None = None
    # Largest request body, in bytes.
    max_body_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024 * 1024
    # Largest number of queries in a task.
    max_queries: Annotated[int, Field(ge=1)] = 100_000
    # Tasks of one user that may run or wait at the same time.
    max_open_tasks: Annotated[int, Field(ge=1)] = 100
    # Hours after which a browser must sign in again.
    session_hours: Annotated[int, Field(ge=1, le=720)] = 12
    # Log format: console for people, json for machines; auto = console on a terminal.
    log_format: Literal["auto", "console", "json"] = "auto"
    # Log level.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("lake_roots", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(Path(p) for p in value.split(os.pathsep) if p) if isinstance(value, str) else value

    @field_validator("trino_allow", "scratch_catalogs", "proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return tuple(p.strip() for p in value.split(",") if p.strip()) if isinstance(value, str) else value

    @field_validator(
        "auth_password", "database_url", "vector_database_url", "redis_url", "secret_keys", "public_url", mode="before"
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _check(self) -> Settings:
        if self.redis_url is not None and self.is_sqlite:
            raise ValueError("HEAVY_REDIS_URL needs PostgreSQL: SQLite with Redis is not a supported form")
        if not self.embedded and self.auth_password is None:
            raise ValueError("HEAVY_AUTH_PASSWORD is required unless HEAVY_HOST is loopback and no database is named")
        return self

    @cached_property
    def _database(self) -> tuple[URL, str]:
        return _database_address(self.database_url, self.data_dir)

    @property
    def database(self) -> URL:
        """The main database's address with an async driver."""
        return self._database[0]

    @property
    def database_source(self) -> str:
        """Where the address came from, for the start's log line."""
        return self._database[1]

    @property
    def vector_database(self) -> URL:
        """The vector database's address; the main one's unless set."""
        value = self.vector_database_url
        return _with_driver(make_url(value.get_secret_value())) if value else self.database

    @property
    def is_sqlite(self) -> bool:
        """True when the main database is SQLite."""
        return self.database.get_backend_name() == "sqlite"

    @property
    def embedded(self) -> bool:
        """No database address given, and the host is loopback: one machine, one person."""
        return self.database_source == "default" and self.host in LOOPBACK_HOSTS

    @property
    def lakes(self) -> tuple[Path, ...]:
        """Absolute folders that `jdbc:duckdb:` may name."""
        return tuple(p.resolve() for p in (self.lake_roots or (self.data_dir / "lake",)))

    @property
    def scratch_dir(self) -> Path:
        """Where designs are built for measuring."""
        return self.data_dir.resolve() / "scratch"

    @property
    def public_origin(self) -> str | None:
        """Scheme and host under which browsers see the service, without a trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        name, domain = os.environ.get("CODESPACE_NAME"), os.environ.get("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN")
        return f"https://{name}-{self.port}.{domain}" if name and domain else None


def _with_driver(url: URL) -> URL:
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+asyncpg")
    if backend == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    raise ValueError(f"the database address names {backend!r}; use postgresql:// or sqlite://")


def _database_address(given: SecretStr | None, data_dir: Path) -> tuple[URL, str]:
    env = os.environ
    if given is not None:
        return _with_driver(make_url(given.get_secret_value())), "HEAVY_DATABASE_URL"
    if env.get("DATABASE_URL"):
        return _with_driver(make_url(env["DATABASE_URL"])), "DATABASE_URL"
    name = env.get("DB_NAME") or env.get("DB_DATABASE")
    if env.get("DB_HOST") or name:
        url = URL.create(
            env.get("DB_DRIVER") or "postgresql",
            env.get("DB_USER") or env.get("DB_USERNAME"),
            env.get("DB_PASSWORD"),
            env.get("DB_HOST"),
            int(env["DB_PORT"]) if env.get("DB_PORT") else None,
            name,
        )
        return _with_driver(url), "DB_*"
    path = Path(env["DB_PATH"]) if env.get("DB_PATH") else data_dir.resolve() / "heavy_stack.db"
    return URL.create("sqlite+aiosqlite", database=str(path)), "default"


def load_settings(**overrides: object) -> Settings:
    """Read the environment and `.env` once.

    Raises:
        SettingsError: One line per wrong setting; values are never printed.
    """
    from pydantic import ValidationError

    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = []
        for item in error.errors(include_input=False, include_url=False):
            name = "HEAVY_" + str(item["loc"][0]).upper() if item["loc"] else ""
            lines.append(f"{name + ': ' if name else ''}{item['msg'].removeprefix('Value error, ')}")
        raise SettingsError("; ".join(lines)) from None


def resource_dir(name: Literal["alembic", "static"]) -> Path:
    """A folder that ships with the project: from the checkout, or from inside the installed wheel."""
    package = Path(__file__).resolve().parent
    bundled = package / "_bundled" / name
    return bundled if bundled.is_dir() else package.parent / name
