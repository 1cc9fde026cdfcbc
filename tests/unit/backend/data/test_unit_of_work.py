"""The unit of work: commit, messages after it, rollback, and the current session."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from heavy_stack import bootstrap
from heavy_stack.backend.data.db_connection import db_session
from heavy_stack.backend.data.repositories.user_repositories import UserRepository
from heavy_stack.backend.data.sql_models import SQLUser
from heavy_stack.backend.data.unit_of_work import Message, queue_message
from heavy_stack.backend.services import Services
from heavy_stack.errors import NotFound
from heavy_stack.settings import Settings
from heavy_stack.shared_models.users import User


class Sender:
    """Notes how many users were committed when messages went out."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.users_seen: list[int] = []
        self.fails = False
        self.services: Services | None = None

    async def send(self, messages: list[Message]) -> None:
        if self.services is not None:
            self.users_seen.append(await count_users(self.services))
        if self.fails:
            raise OSError("the broker is gone")
        self.sent.extend(messages)


async def count_users(services: Services) -> int:
    async with services.engines.main.reader.connect() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM users"))).scalar_one())


async def add_user(name: str = "ann") -> None:
    await UserRepository().add(SQLUser(external_id=name))


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
async def services(database_settings: Settings, sender: Sender):
    services = bootstrap.build_services(database_settings, sender=sender)
    sender.services = services
    yield services
    await services.close()


class TestUnitOfWork:
    class TestCommit:
        async def test_happens_at_the_end(self, services: Services) -> None:
            async with services.unit_of_work():
                await add_user()
                assert await count_users(services) == 0
            assert await count_users(services) == 1

        async def test_messages_go_out_after_it(self, services: Services, sender: Sender) -> None:
            message = Message("x", uuid4())
            async with services.unit_of_work():
                await add_user()
                queue_message(message)
                assert sender.sent == []
            assert sender.sent == [message]
            assert sender.users_seen == [1]

        async def test_a_lost_message_does_not_undo_it(self, services: Services, sender: Sender) -> None:
            sender.fails = True
            async with services.unit_of_work():
                await add_user()
                queue_message(Message("x", uuid4()))
            assert await count_users(services) == 1

    class TestRollback:
        async def test_an_error_undoes_everything(self, services: Services, sender: Sender) -> None:
            with pytest.raises(ZeroDivisionError):
                async with services.unit_of_work():
                    await add_user()
                    queue_message(Message("x", uuid4()))
                    raise ZeroDivisionError
            assert (await count_users(services), sender.sent) == (0, [])

        async def test_a_cancellation_undoes_everything(self, services: Services, sender: Sender) -> None:
            inside = asyncio.Event()

            async def work() -> None:
                async with services.unit_of_work():
                    await add_user()
                    queue_message(Message("x", uuid4()))
                    inside.set()
                    await asyncio.sleep(60)

            task = asyncio.create_task(work())
            await inside.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await count_users(services), sender.sent) == (0, [])
            async with services.unit_of_work():  # the write lock is free again
                await add_user()
            assert await count_users(services) == 1

        async def test_a_cancellation_during_the_commit_waits_for_it(self, services: Services, sender: Sender) -> None:
            message, task = Message("x", uuid4()), None

            class Cancelling(Sender):
                async def send(self, messages: list[Message]) -> None:
                    assert task is not None
                    task.cancel()  # the client goes away between commit and messages
                    await asyncio.sleep(0.05)
                    sender.sent.extend(messages)

            cancelling = bootstrap.build_services(services.settings, sender=Cancelling())

            async def work() -> None:
                async with cancelling.unit_of_work():
                    await add_user()
                    queue_message(message)

            task = asyncio.create_task(work())
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await count_users(services), sender.sent) == (1, [message])
            await cancelling.close()

        async def test_clients_that_go_away_at_any_moment_leave_no_lock_behind(self, services: Services) -> None:
            done = 0

            async def work(number: int) -> None:
                nonlocal done
                async with services.unit_of_work():
                    await add_user(str(number))
                    await services.users.ensure_user(f"second {number}")
                done += 1

            tasks = [asyncio.create_task(work(number)) for number in range(40)]
            for number, task in enumerate(tasks):
                await asyncio.sleep(0.001 * (number % 4))
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # Both rows of a unit or none; a unit that was cancelled during its commit is complete, too.
            users = await count_users(services)
            assert users % 2 == 0
            assert users >= 2 * done
            async with asyncio.timeout(10), services.unit_of_work():
                await add_user("after")
            assert await count_users(services) == users + 1

    class TestCurrentSession:
        async def test_is_set_inside_and_gone_after(self, services: Services) -> None:
            assert db_session.get() is None
            async with services.unit_of_work() as session:
                assert db_session.get() is session
            assert db_session.get() is None

        async def test_is_gone_after_an_error(self, services: Services) -> None:
            with pytest.raises(ZeroDivisionError):
                async with services.unit_of_work():
                    raise ZeroDivisionError
            assert db_session.get() is None

        async def test_the_outer_one_comes_back(self, services: Services) -> None:
            async with services.unit_of_work() as outer:
                async with services.unit_of_work() as inner:
                    assert db_session.get() is inner
                assert db_session.get() is outer

        async def test_a_leaked_session_cannot_be_used(self, services: Services) -> None:
            async with services.unit_of_work() as session:
                await add_user()
            with pytest.raises(Exception, match="permanently closed"):
                await session.exec(text("SELECT 1"))

        async def test_a_background_task_does_not_inherit_it(self, services: Services) -> None:
            begin = asyncio.Event()

            async def later() -> str:
                await begin.wait()
                with pytest.raises(RuntimeError, match="db_session variable is not set"):
                    queue_message(Message("x", uuid4()))
                # What may be read outside a unit of work still can be.
                with pytest.raises(NotFound):
                    await services.tasks.get_status(User(id=uuid4()), uuid4())
                return "done"

            async with services.unit_of_work():
                task = asyncio.create_task(later())
            begin.set()
            assert await task == "done"

        async def test_parallel_units_have_their_own(self, services: Services) -> None:
            seen = []

            async def work(name: str) -> None:
                async with services.unit_of_work() as session:
                    await asyncio.sleep(0)
                    await add_user(name)
                    seen.append((db_session.get() is session, session))

            await asyncio.gather(*(work(str(n)) for n in range(6)))
            assert all(right for right, _ in seen)
            assert len({id(session) for _, session in seen}) == 6
            assert await count_users(services) == 6


class TestQueueMessage:
    def test_needs_a_unit_of_work(self) -> None:
        with pytest.raises(RuntimeError, match="db_session variable is not set"):
            queue_message(Message("x", uuid4()))
