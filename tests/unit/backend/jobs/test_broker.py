"""Tests of the broker without Redis."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from dramatiq import MessageProxy
from dramatiq.errors import QueueNotFound

from heavy_stack.backend.jobs.broker import ADVANCE, QUEUE, WorkBroker, WorkConsumer


class Rows:
    """Claimable tasks."""

    def __init__(self, *task_ids: UUID) -> None:
        self.task_ids = list(task_ids)
        self.looks = 0
        self.away = False

    def list_claimable(self, limit: int) -> Sequence[UUID]:
        self.looks += 1
        if self.away:
            raise ConnectionError("the database is away")
        return self.task_ids[:limit]


def consuming(rows: Rows, slots: int = 1) -> tuple[WorkBroker, WorkConsumer]:
    broker = WorkBroker(slots=slots, list_claimable=rows.list_claimable, middleware=[])
    broker.declare_queue(QUEUE)
    consumer = broker.consume(QUEUE, timeout=20)
    if not isinstance(consumer, WorkConsumer):
        raise TypeError(type(consumer))
    return broker, consumer


def next_id(consumer: WorkConsumer, within_s: float = 2.0) -> UUID | None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if (message := next(consumer)) is not None:
            return UUID(message.args[0])
    return None


def taken(message: MessageProxy | None) -> MessageProxy:
    if message is None:
        raise AssertionError("there was no message")
    return message


class TestWorkConsumer:
    def test_hands_out_the_id_of_a_claimable_task_and_nothing_else(self) -> None:
        task_id = uuid4()
        _, consumer = consuming(Rows(task_id))
        message = taken(next(consumer))
        assert (message.actor_name, message.args, message.kwargs) == (ADVANCE, (str(task_id),), {})

    def test_hands_out_no_more_than_it_has_slots(self) -> None:
        rows = Rows(uuid4(), uuid4(), uuid4())
        _, consumer = consuming(rows, slots=2)
        assert [next_id(consumer), next_id(consumer)] == rows.task_ids[:2]
        assert next_id(consumer, 0.2) is None

    def test_an_acknowledged_task_frees_its_slot_at_once(self) -> None:
        rows = Rows(uuid4(), uuid4())
        _, consumer = consuming(rows)
        message = taken(next(consumer))
        rows.task_ids.pop(0)
        consumer.ack(message)
        assert next_id(consumer, 0.2) == rows.task_ids[0]

    def test_a_bell_is_answered_within_a_tenth_of_a_second(self) -> None:
        rows = Rows()
        broker, consumer = consuming(rows)
        assert next(consumer) is None
        rows.task_ids.append(uuid4())
        broker.ring()
        begun = time.monotonic()
        assert next_id(consumer) == rows.task_ids[0]
        assert time.monotonic() - begun < 0.1

    def test_without_a_bell_it_still_looks_every_second(self) -> None:
        rows = Rows()
        _, consumer = consuming(rows)
        next(consumer)
        rows.task_ids.append(uuid4())
        assert next_id(consumer, 1.5) == rows.task_ids[0]

    def test_an_idle_consumer_hardly_looks(self) -> None:
        rows = Rows()
        _, consumer = consuming(rows)
        assert next_id(consumer, 0.6) is None
        assert rows.looks == 1

    def test_a_task_that_another_worker_got_does_not_become_a_busy_loop(self) -> None:
        rows = Rows(uuid4())
        _, consumer = consuming(rows)
        until, handed = time.monotonic() + 0.4, 0
        while time.monotonic() < until:
            message = next(consumer)
            if message is not None:
                handed += 1
                consumer.ack(message)
        assert handed == 1

    def test_a_database_that_is_away_is_asked_again_later(self) -> None:
        rows = Rows(uuid4())
        rows.away = True
        broker, consumer = consuming(rows)
        assert next(consumer) is None
        rows.away = False
        broker.ring()
        assert next_id(consumer) == rows.task_ids[0]

    def test_a_worker_that_is_about_to_end_takes_nothing(self) -> None:
        broker, consumer = consuming(Rows(uuid4()))
        broker.hold()
        assert next_id(consumer, 0.1) is None


class TestEnqueue:
    def test_a_delayed_message_is_handed_out_after_its_delay_with_its_options(self) -> None:
        rows = Rows(uuid4())
        broker, consumer = consuming(rows)
        message = taken(next(consumer))
        message.options["retries"] = 3
        broker.enqueue(message._message, delay=300)
        consumer.ack(message)
        assert next_id(consumer, 0.2) is None
        until = time.monotonic() + 3
        while (again := next(consumer)) is None and time.monotonic() < until:
            pass
        assert taken(again).options == {"retries": 3}


class TestWorkBroker:
    def test_an_undeclared_queue_cannot_be_consumed(self) -> None:
        broker, _ = consuming(Rows())
        with pytest.raises(QueueNotFound):
            broker.consume("another")

    def test_join_waits_until_nothing_is_claimable(self) -> None:
        rows = Rows(uuid4())
        broker, _ = consuming(rows)
        with pytest.raises(TimeoutError):
            broker.join(QUEUE, timeout=50)
        rows.task_ids.clear()
        broker.join(QUEUE, timeout=50)
