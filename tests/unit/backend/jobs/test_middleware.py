"""Tests of the Dramatiq middleware."""

from __future__ import annotations

import time
from uuid import uuid4

import structlog
from dramatiq import Message, MessageProxy, Worker
from dramatiq.brokers.stub import StubBroker

from heavy_stack.backend.jobs.actors import declare
from heavy_stack.backend.jobs.broker import ADVANCE, QUEUE
from heavy_stack.backend.jobs.middleware import LogContext, RetryRetryable, WorkerLife
from heavy_stack.errors import EngineUnavailable, NotFound


class RecordingBroker(StubBroker):
    """Keeps what is enqueued."""

    def __init__(self) -> None:
        super().__init__(middleware=[])
        self.delays: list[int | None] = []

    def enqueue(self, message: Message, *, delay: int | None = None) -> Message:  # type: ignore[type-arg]
        self.delays.append(delay)
        return message


def a_message() -> MessageProxy:
    return MessageProxy(Message(queue_name=QUEUE, actor_name=ADVANCE, args=(str(uuid4()),), kwargs={}, options={}))


class TestRetryRetryable:
    def test_what_is_retryable_is_enqueued_again_later_and_later(self) -> None:
        broker, message = RecordingBroker(), a_message()
        for _ in range(5):
            RetryRetryable().after_process_message(broker, message, exception=EngineUnavailable("away"))
        assert not message.failed
        assert message.options["retries"] == 5
        assert all(500 <= (delay or 0) <= 15_000 for delay in broker.delays)
        assert (broker.delays[-1] or 0) > (broker.delays[0] or 0)

    def test_nothing_else_is_retried(self) -> None:
        for error in (NotFound("no such task"), ValueError("a defect")):
            broker, message = RecordingBroker(), a_message()
            RetryRetryable().after_process_message(broker, message, exception=error)
            assert message.failed
            assert broker.delays == []

    def test_success_is_left_alone(self) -> None:
        broker, message = RecordingBroker(), a_message()
        RetryRetryable().after_process_message(broker, message)
        assert (message.failed, broker.delays) == (False, [])


class TestLogContext:
    def test_the_task_is_bound_while_its_message_is_processed(self) -> None:
        broker, message, context = RecordingBroker(), a_message(), LogContext()
        context.before_process_message(broker, message)
        assert structlog.contextvars.get_contextvars() == {"task_id": message.args[0]}
        context.after_process_message(broker, message)
        assert structlog.contextvars.get_contextvars() == {}


class Life:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def give_back(self) -> None:
        self.calls.append("give_back")

    def close(self) -> None:
        self.calls.append("close")


class TestWorkerLife:
    def test_follows_the_worker_whoever_started_it(self) -> None:
        life = Life()
        worker = Worker(StubBroker(middleware=[WorkerLife(life)]), worker_timeout=50, worker_threads=1)
        worker.start()
        assert life.calls == ["start"]
        worker.stop()
        assert life.calls == ["start", "give_back", "close"]


class TestDeclare:
    def test_the_actor_calls_what_it_was_given_with_the_tasks_id(self) -> None:
        seen = []
        broker = StubBroker()
        actor = declare(broker, seen.append)
        worker = Worker(broker, worker_timeout=50, worker_threads=1)
        worker.start()
        task_id = uuid4()
        actor.send(str(task_id))
        until = time.monotonic() + 5
        while not seen and time.monotonic() < until:
            time.sleep(0.01)
        worker.stop()
        assert seen == [task_id]

    def test_the_time_limit_is_above_every_tasks_budget(self) -> None:
        actor = declare(StubBroker())
        assert actor.options["time_limit"] > 720_000

    def test_declares_on_the_given_broker_only(self) -> None:
        import dramatiq.broker

        before = dramatiq.broker.global_broker
        broker = StubBroker()
        declare(broker)
        assert broker.get_declared_actors() == {ADVANCE}
        assert dramatiq.broker.global_broker is before
