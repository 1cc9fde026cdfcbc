"""Logs: fields, formats, and no secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from heavy_stack.observability import log_context, redact, redact_text, set_up_logging
from tests.support.settings import make_settings

PLANTED = "pl4nted-s3cret"


@pytest.fixture
def log(tmp_path, capsys: pytest.CaptureFixture[str]) -> Iterator[structlog.stdlib.BoundLogger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    set_up_logging(make_settings(tmp_path, log_format="json"))
    yield structlog.get_logger("tests.observability")
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class TestSetUpLogging:
    def test_events_are_json_with_fields(self, log, capsys) -> None:
        with log_context(task_id="t1"):
            log.info("stage.finished", stage="parse")
        log.info("after")
        first, second = lines(capsys)
        assert (first["event"], first["stage"], first["task_id"]) == ("stage.finished", "parse", "t1")
        assert (first["level"], first["logger"]) == ("info", "tests.observability")
        assert "timestamp" in first
        assert "task_id" not in second

    def test_other_libraries_pass_through_the_same_chain(self, log, capsys) -> None:
        logging.getLogger("some.library").warning("connecting to %s", f"postgresql://ann:{PLANTED}@host/db")
        (line,) = lines(capsys)
        assert line["event"] == "connecting to postgresql://ann:[redacted]@host/db"

    def test_sql_warnings_of_the_parser_are_silent(self, log, capsys) -> None:
        logging.getLogger("sqlglot").error("cannot parse SELECT %s", PLANTED)
        assert lines(capsys) == []

    def test_the_level_holds(self, log, capsys) -> None:
        log.debug("quiet")
        logging.getLogger("sqlalchemy.engine").info("SELECT 1")
        assert lines(capsys) == []

    def test_tracebacks_are_redacted(self, log, capsys) -> None:
        try:
            raise ValueError(f"cannot reach https://ann:{PLANTED}@host/")
        except ValueError:
            log.exception("request.failed")
        text = capsys.readouterr().err
        assert "Traceback" in text
        assert PLANTED not in text

    def test_console_format_is_for_people(self, log, tmp_path, capsys) -> None:
        set_up_logging(make_settings(tmp_path, log_format="console"))
        structlog.get_logger("x").info("hello", password=PLANTED)
        text = capsys.readouterr().err
        assert "hello" in text
        assert not text.startswith("{")
        assert PLANTED not in text

    def test_a_second_call_replaces_the_first(self, log, tmp_path, capsys) -> None:
        set_up_logging(make_settings(tmp_path, log_format="json"))
        log.info("once")
        assert len(lines(capsys)) == 1


class TestRedact:
    @pytest.mark.parametrize(
        "event",
        [
            {"password": PLANTED},
            {"auth_password": PLANTED},
            {"headers": {"Authorization": f"Basic {PLANTED}"}},
            {"credentials": {"user": "ann", "key": PLANTED}},
            {"items": [{"api_key": PLANTED}, f"token {PLANTED}"][:1]},
            {"url": f"jdbc:trino://h:1/c/s?user=a&password={PLANTED}&SSL=true"},
            {"url": f"postgresql+asyncpg://ann:{PLANTED}@h/db"},
            {"text": f"Authorization: Bearer {PLANTED}"},
            {"text": f"{{'password': '{PLANTED}', 'a': 1}}"},
            {"text": f'{{"db_password": "{PLANTED}"}}'},
            {"cookie": PLANTED},
            {"deep": {"a": {"b": {"c": {"d": {"e": {"f": {"g": PLANTED}}}}}}}},
        ],
    )
    def test_hides_secrets(self, event: dict[str, object]) -> None:
        assert PLANTED not in repr(redact(None, "info", event))

    def test_leaves_the_rest(self) -> None:
        event = {
            "event": "task.done",
            "url": "jdbc:trino://host:8080/c/s?user=ann&SSL=true",
            "tokens_used": 5,
            "rows": [1, 2],
            "password": None,
            "a": {"b": 1.5},
        }
        assert redact(None, "info", dict(event)) == event

    def test_keeps_the_words_around_a_secret(self) -> None:
        assert redact_text(f"url=https://ann:{PLANTED}@h/x?a=1 end") == "url=https://ann:[redacted]@h/x?a=1 end"
