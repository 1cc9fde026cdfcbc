"""bootstrap: folders, secrets, services, refusals. Migrations with rows: tests/integration/postgres."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from heavy_stack import bootstrap
from heavy_stack.errors import SettingsError
from heavy_stack.settings import Settings, load_settings, resource_dir
from tests.support.databases import PostgresqlDatabases
from tests.support.factories import make_user
from tests.support.settings import make_settings


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def embedded(folder: Path) -> Settings:
    return load_settings(_env_file=None, data_dir=folder)


class TestPrepare:
    def test_makes_a_private_folder_a_password_and_a_key(self, tmp_path: Path) -> None:
        folder = tmp_path / "a" / "data"
        settings = bootstrap.prepare(embedded(folder))
        assert mode(folder) == 0o700
        assert mode(folder / "password") == mode(folder / "secret.key") == 0o600
        assert settings.auth_password is not None
        assert settings.auth_password.get_secret_value() == (folder / "password").read_text().strip()
        assert bootstrap.secret_keys(settings) == ((folder / "secret.key").read_text().strip(),)

    def test_a_second_start_finds_the_same(self, tmp_path: Path) -> None:
        first, second = (bootstrap.prepare(embedded(tmp_path / "data")) for _ in range(2))
        assert first.auth_password == second.auth_password
        assert first.secret_keys == second.secret_keys

    def test_given_secrets_are_kept_and_no_file_is_made(self, tmp_path: Path) -> None:
        settings = bootstrap.prepare(make_settings(tmp_path / "data"))
        assert settings.auth_password is not None
        assert {file.name for file in (tmp_path / "data").iterdir()} <= {"start.lock"}

    def test_a_file_that_others_could_read_is_closed(self, tmp_path: Path) -> None:
        bootstrap.prepare(embedded(tmp_path))
        (tmp_path / "password").chmod(0o644)
        bootstrap.prepare(embedded(tmp_path))
        assert mode(tmp_path / "password") == 0o600

    def test_several_processes_at_once_agree(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from heavy_stack import bootstrap; "
            "from heavy_stack.settings import load_settings; "
            "s = bootstrap.prepare(load_settings(_env_file=None, data_dir=Path(sys.argv[1]))); "
            "print(s.auth_password.get_secret_value(), s.secret_keys.get_secret_value())"
        )
        command = [sys.executable, "-c", code, str(tmp_path / "data")]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        assert len({process.communicate(timeout=60)[0] for process in processes}) == 1
        assert [process.returncode for process in processes] == [0] * 3

    def test_outside_the_embedded_form_a_key_must_be_given(self, tmp_path: Path) -> None:
        settings = load_settings(_env_file=None, data_dir=tmp_path, host="0.0.0.0", auth_password="given")
        with pytest.raises(SettingsError, match="HEAVY_SECRET_KEYS is required"):
            bootstrap.prepare(settings)

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(SettingsError, match="HEAVY_DATA_DIR.*file"):
            bootstrap.prepare(embedded(tmp_path / "file" / "data"))


class TestBuildServices:
    async def test_gives_working_managers(self, sqlite_settings: Settings) -> None:
        services = bootstrap.build_services(sqlite_settings)
        await services.start()
        assert (await make_user(services)).external_id == "ann"
        await services.close()

    def test_a_short_key_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="at least 32 characters") as caught:
            bootstrap.build_services(make_settings(tmp_path, secret_keys="too-short-to-use"))
        assert "too-short" not in str(caught.value)


class TestMigrate:
    @pytest.fixture(params=["sqlite", "postgresql"])
    def empty_settings(self, request: pytest.FixtureRequest, tmp_path: Path):
        if request.param == "sqlite":
            yield make_settings(tmp_path / "data")
        else:
            databases: PostgresqlDatabases = request.getfixturevalue("postgresql_databases")
            name = databases.create_empty()
            yield make_settings(tmp_path / "data", databases.url(name))
            databases.drop(name)

    def test_brings_an_empty_database_to_the_head(self, empty_settings: Settings) -> None:
        assert bootstrap.current(empty_settings) is None
        bootstrap.migrate(empty_settings)
        assert bootstrap.current(empty_settings) == bootstrap.head()
        bootstrap.migrate(empty_settings)
        assert bootstrap.history(empty_settings)[0].endswith("(current)")

    def test_refuses_a_database_that_holds_something_else(self, empty_settings: Settings) -> None:
        bootstrap.on_connection(empty_settings, lambda c: c.exec_driver_sql("CREATE TABLE customers (id int)"))
        with pytest.raises(SettingsError, match="tables that this project did not make"):
            bootstrap.migrate(empty_settings)

    def test_refuses_another_projects_revision(self, empty_settings: Settings) -> None:
        def pretend(connection) -> None:
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('ae1027a6acf')")

        bootstrap.on_connection(empty_settings, pretend)
        with pytest.raises(SettingsError, match="ae1027a6acf.*does not know"):
            bootstrap.migrate(empty_settings)

    def test_several_processes_at_once_migrate_once(self, empty_settings: Settings) -> None:
        code = (
            "import os, sys; from pathlib import Path; from heavy_stack import bootstrap; "
            "from heavy_stack.settings import load_settings; bootstrap.migrate(load_settings(_env_file=None))"
        )
        given = empty_settings.database_url
        environment = {
            **os.environ,
            "HEAVY_DATA_DIR": str(empty_settings.data_dir),
            "HEAVY_AUTH_PASSWORD": "x",
            "HEAVY_DATABASE_URL": given.get_secret_value() if given else "",
        }
        processes = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(3)]
        assert [process.wait(timeout=120) for process in processes] == [0] * 3
        assert bootstrap.current(empty_settings) == bootstrap.head()

    def test_a_server_that_is_not_there_is_named_without_the_password(self, tmp_path: Path) -> None:
        settings = make_settings(tmp_path, "postgresql://ann:planted@127.0.0.1:1/db")
        with pytest.raises(SettingsError, match=r"ann:\*\*\*@127.0.0.1:1/db cannot be reached") as caught:
            bootstrap.migrate(settings)
        assert "planted" not in str(caught.value)

    async def test_may_be_called_inside_an_event_loop(self, empty_settings: Settings) -> None:
        bootstrap.migrate(empty_settings)

    def test_the_database_file_is_private(self, tmp_path: Path) -> None:
        bootstrap.migrate(make_settings(tmp_path / "data"))
        assert mode(tmp_path / "data" / "heavy_stack.db") == 0o600

    def test_a_failed_migration_leaves_nothing_behind(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = make_settings(tmp_path / "data")

        def half_way(connection) -> None:
            connection.exec_driver_sql("CREATE TABLE half (id int)")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            bootstrap.on_connection(settings, half_way)
        with sqlite3.connect(tmp_path / "data" / "heavy_stack.db") as connection:
            assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        connection.close()


class TestResources:
    @pytest.mark.parametrize("file", ["env.py", "script.py.mako", "versions/0001_first_tables.py"])
    def test_migration_scripts_are_found(self, file: str) -> None:
        assert (resource_dir("alembic") / file).is_file()
