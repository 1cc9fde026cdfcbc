"""Column types on both kinds of database; encryption."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet, MultiFernet
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from heavy_stack.backend.data.sql_models import SQLArtefact, SQLEvent, SQLTask, SQLUser
from heavy_stack.backend.data.sql_models.column_types import EncryptedBytes, EncryptedText, attach_cipher
from heavy_stack.backend.data.sql_models.encryption import make_cipher
from heavy_stack.errors import SettingsError
from heavy_stack.shared_models.tasks import Stage, TaskState
from tests.support.settings import TEST_KEY

SECRET = "planted-secret-0x5ee"


async def add_task(session: AsyncSession, **values: object) -> SQLTask:
    owner = SQLUser(external_id=str(uuid4()))
    session.add(owner)
    await session.flush()
    task = SQLTask(
        **{"owner_id": owner.id, "url": "u", "query_count": 1, "table_count": 1, "budget_s": 1.0, **values},
    )
    session.add(task)
    await session.flush()
    return task


async def stored_credentials(session: AsyncSession) -> object:
    """The newest task's credentials as they stand in the database."""
    return (await session.exec(text("SELECT credentials FROM tasks ORDER BY created_at DESC LIMIT 1"))).scalar_one()


class TestEncryptedText:
    async def test_comes_back(self, db_session: AsyncSession) -> None:
        task = await add_task(db_session, credentials=SECRET)
        again = await db_session.get(SQLTask, task.id, populate_existing=True)
        assert again is not None
        assert again.credentials == SECRET

    async def test_is_never_stored_plain(self, db_session: AsyncSession) -> None:
        await add_task(db_session, credentials=SECRET)
        stored = str(await stored_credentials(db_session))
        assert SECRET not in stored
        assert stored.startswith("gAAAA")

    async def test_nothing_stays_null(self, db_session: AsyncSession) -> None:
        await add_task(db_session, credentials=None)
        assert await stored_credentials(db_session) is None

    async def test_two_equal_secrets_look_different(self, db_session: AsyncSession) -> None:
        stored = []
        for _ in range(2):
            await add_task(db_session, credentials=SECRET)
            stored.append(await stored_credentials(db_session))
        assert stored[0] != stored[1]

    async def test_a_new_key_in_front_reads_what_the_old_one_wrote(self, db_session: AsyncSession) -> None:
        task = await add_task(db_session, credentials=SECRET)
        engine = db_session.bind.engine
        attach_cipher(engine, make_cipher(["a newer key, also of 32 characters or more", TEST_KEY]))
        assert (await db_session.get(SQLTask, task.id, populate_existing=True)).credentials == SECRET

    async def test_a_wrong_key_says_so_without_the_value(self, db_session: AsyncSession) -> None:
        task = await add_task(db_session, credentials=SECRET)
        attach_cipher(db_session.bind.engine, MultiFernet([Fernet(Fernet.generate_key())]))
        with pytest.raises(SettingsError, match="HEAVY_SECRET_KEYS") as caught:
            await db_session.get(SQLTask, task.id, populate_existing=True)
        assert SECRET not in str(caught.value)


class TestEncryptedBytes:
    def test_encrypts_and_decrypts(self) -> None:
        class Dialect:
            name = "any"

        dialect, column = Dialect(), EncryptedBytes()
        with pytest.raises(SettingsError, match="without keys"):
            column.process_bind_param(b"x", dialect)
        dialect.heavy_stack_cipher = make_cipher([TEST_KEY])
        stored = column.process_bind_param(b"\x00secret", dialect)
        assert stored is not None
        assert b"secret" not in stored
        assert column.process_result_value(stored, dialect) == b"\x00secret"
        assert EncryptedText().process_bind_param(None, dialect) is None


class TestMakeCipher:
    @pytest.mark.parametrize(("keys", "problem"), [([], "is empty"), (["short"], "at least 32")])
    def test_refuses_bad_keys(self, keys: list[str], problem: str) -> None:
        with pytest.raises(SettingsError, match=problem):
            make_cipher(keys)


class TestTimes:
    async def test_an_offset_becomes_utc(self, db_session: AsyncSession) -> None:
        west = datetime(2026, 3, 1, 20, 0, tzinfo=timezone(timedelta(hours=-8)))
        task = await add_task(db_session, started_at=west)
        again = await db_session.get(SQLTask, task.id, populate_existing=True)
        assert again is not None
        assert again.started_at == datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
        assert again.started_at.tzinfo is UTC


class TestJson:
    async def test_comes_back(self, db_session: AsyncSession) -> None:
        task = await add_task(db_session, options={"verify": "none", "n": [1, None]})
        again = await db_session.get(SQLTask, task.id, populate_existing=True)
        assert again is not None
        assert again.options == {"verify": "none", "n": [1, None]}


class TestChecks:
    @pytest.mark.parametrize("column", ["state", "stage"])
    async def test_the_database_refuses_another_word(self, db_session: AsyncSession, column: str) -> None:
        await add_task(db_session, state=TaskState.RUNNING, stage=Stage.PARSE)
        with pytest.raises(IntegrityError, match=f"ck_tasks_{column}"):
            await db_session.exec(text(f"UPDATE tasks SET {column} = 'RUNNING AWAY'"))

    async def test_encodings_are_a_closed_set(self, db_session: AsyncSession) -> None:
        task = await add_task(db_session)
        db_session.add(SQLArtefact(task_id=task.id, name="x", version=1, encoding="zstd", content=b""))
        await db_session.flush()
        with pytest.raises(IntegrityError, match="ck_artefacts_encoding"):
            await db_session.exec(text("UPDATE artefacts SET encoding = 'lzma'"))

    async def test_foreign_keys_hold(self, db_session: AsyncSession) -> None:
        with pytest.raises(IntegrityError, match="(?i)foreign key"):
            await add_task(db_session, owner_id=uuid4())


class TestEvents:
    async def test_are_counted_up_and_never_changed(self, db_session: AsyncSession) -> None:
        task = await add_task(db_session)
        for _ in range(2):
            db_session.add(SQLEvent(task_id=task.id, type="x"))
            await db_session.flush()
        numbers = [row.seq for row in await db_session.exec(text("SELECT seq FROM events ORDER BY seq"))]
        assert numbers[1] == numbers[0] + 1
        with pytest.raises((IntegrityError, DBAPIError), match="events is append-only"):
            await db_session.exec(text("UPDATE events SET type = 'y'"))
