"""What `POST /new` accepts, and what it says when it does not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heavy_stack.backend.data.model_managers.task_intake import Intake, read_new_task
from heavy_stack.errors import BodyTooLarge, WorkloadFormat
from heavy_stack.settings import Settings

DDL = "CREATE TABLE lake.sales.orders (id bigint, amount decimal(12,2))"


def workload(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "url": "jdbc:trino://h:8080/lake",
        "ddl": [{"statement": DDL}],
        "queries": [{"queryid": "q1", "query": "SELECT 1", "runquantity": 3, "executiontime": 10}],
    }
    content.update(changes)
    return {name: value for name, value in content.items() if value is not ...}


def query(**changes: Any) -> dict[str, Any]:
    return {"queryid": "q1", "query": "SELECT 1", "runquantity": 1} | changes


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]


@pytest.fixture
def read(settings: Settings) -> Callable[[Any], Intake]:
    def call(content: Any) -> Intake:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return read_new_task(body, settings)

    return call


@pytest.fixture
def refusal(read: Callable[[Any], Intake]) -> Callable[[Any], WorkloadFormat]:
    def call(content: Any) -> WorkloadFormat:
        with pytest.raises(WorkloadFormat) as caught:
            read(content)
        assert caught.value.status == 422
        assert caught.value.context["place"]
        return caught.value

    return call


Read = Callable[[Any], Intake]
Refusal = Callable[[Any], WorkloadFormat]


class TestReadNewTask:
    class TestAccepts:
        def test_a_plain_workload(self, read: Read) -> None:
            intake = read(workload())
            assert json.loads(intake.request) == {
                "url": "jdbc:trino://h:8080/lake",
                "ddl": [{"statement": DDL}],
                "queries": [{"queryid": "q1", "query": "SELECT 1", "runquantity": 3, "executiontime": 10.0}],
                "options": {},
            }
            assert (intake.query_count, intake.table_count, intake.credentials) == (1, 1, None)

        def test_what_it_stored_once_more(self, read: Read) -> None:
            first = read(workload(options={"verify": "none", "budget_s": 60.0}))
            assert read(first.request) == first
            assert first.options.budget_s == 60

        def test_a_byte_order_mark_of_utf_8(self, read: Read) -> None:
            assert read(b"\xef\xbb\xbf" + json.dumps(workload()).encode()).query_count == 1

        def test_text_byte_for_byte(self, read: Read) -> None:
            sql = "SELECT 'a\n\u2028b', \"Größe\" -- 😀\r\nFROM lake.sales.orders;\t"
            stored = json.loads(read(workload(queries=[query(query=sql)])).request)
            assert stored["queries"][0]["query"] == sql

        @pytest.mark.parametrize(("given", "kept"), [(0, 0), (3.0, 3), (10**12, 10**12)])
        def test_whole_numbers_however_written(self, read: Read, given: float, kept: int) -> None:
            stored = json.loads(read(workload(queries=[query(runquantity=given)])).request)
            assert stored["queries"][0]["runquantity"] == kept

        def test_unknown_fields_and_drops_them(self, read: Read) -> None:
            intake = read(workload(queries=[query(note="mine")], comment="mine"))
            assert b"mine" not in intake.request

        def test_no_options_as_null(self, read: Read) -> None:
            assert read(workload(options=None)).options.verify is None

        def test_sql_that_makes_no_sense(self, read: Read) -> None:
            assert read(workload(queries=[query(query="SELEKT ;; '"), query(queryid="q2", query="")])).query_count == 2

        def test_an_address_that_makes_no_sense(self, read: Read) -> None:
            assert read(workload(url="nowhere")).url == "nowhere"

        def test_twenty_thousand_queries_quickly(self, read: Read) -> None:
            queries = [query(queryid=f"q{i}", query=f"SELECT {i % 500} FROM t WHERE x = 1") for i in range(20_000)]
            body = json.dumps(workload(queries=queries)).encode()
            started = time.perf_counter()
            assert read(body).query_count == 20_000
            assert time.perf_counter() - started < 5

    class TestCredentials:
        def test_leave_the_address(self, read: Read) -> None:
            intake = read(workload(url="jdbc:trino://h:1/lake?user=ann&password=pl4nted"))
            assert intake.credentials == {"password": "pl4nted"}
            assert b"pl4nted" not in intake.request
            assert "pl4nted" not in intake.url
            assert "user=ann" in intake.url

        def test_leave_the_body(self, read: Read) -> None:
            intake = read(workload(password="pl4nted", access_token="pl4nted-too"))
            assert intake.credentials == {"password": "pl4nted", "access_token": "pl4nted-too"}
            assert b"pl4nted" not in intake.request

        def test_are_in_no_message(self, refusal: Refusal) -> None:
            for content in (
                workload(url="jdbc:trino://h/c?password=pl4nted" + "x" * 20_000),
                workload(url=["pl4nted"]),
                workload(options={"verify": "pl4nted"}),
                workload(queries=[query(runquantity="pl4nted")], url="jdbc:trino://h/c?password=pl4nted"),
            ):
                error = refusal(content)
                assert "pl4nted" not in error.message + json.dumps(error.context)

    class TestRefusesAsJson:
        def test_an_empty_body(self, refusal: Refusal) -> None:
            assert "empty" in refusal(b"").message
            assert "empty" in refusal(b" \n").message

        def test_malformed_text_with_its_place(self, refusal: Refusal) -> None:
            error = refusal(b'{"url": "x",\n "ddl": [}')
            assert "line 2, column 10" in error.message
            assert (error.context["line"], error.context["column"]) == (2, 10)

        @pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
        def test_numbers_that_are_none(self, refusal: Refusal, word: bytes) -> None:
            error = refusal(b'{"url": "x", "executiontime": %b}' % word)
            assert "NaN or Infinity" in error.message
            assert "line 1, column" in error.message

        @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
        def test_another_encoding_by_its_name(self, refusal: Refusal, encoding: str) -> None:
            assert "UTF-16" in refusal(json.dumps(workload()).encode(encoding)).message.replace("UTF-32", "UTF-16")

        def test_bytes_that_are_no_utf_8(self, refusal: Refusal) -> None:
            error = refusal(b'{"url":\n "gr\xf6\xdfe"}')
            assert "byte 12 (0xf6, line 2)" in error.message
            assert error.context["byte"] == 12

        def test_a_compressed_body(self, refusal: Refusal) -> None:
            assert "gzip" in refusal(b"\x1f\x8b\x08\x00").message

        def test_a_hundred_thousand_brackets(self, refusal: Refusal) -> None:
            assert "nested too deeply" in refusal(b"[" * 100_000).message
            deep = b'{"url": "x", "url": "y", "a": ' + b"[" * 1000 + b"]" * 1000 + b"}"
            assert refusal(deep)

        @pytest.mark.parametrize(
            ("body", "kind"), [(b"[]", "a list"), (b'"x"', "text"), (b"1", "a number"), (b"null", "null")]
        )
        def test_what_is_no_object(self, refusal: Refusal, body: bytes, kind: str) -> None:
            assert f"The body is {kind}" in refusal(body).message

        def test_half_a_surrogate_pair(self, refusal: Refusal) -> None:
            assert "surrogate" in refusal(b'{"url": "\\ud800"}').message

        def test_a_nul_in_text_with_its_place(self, refusal: Refusal) -> None:
            error = refusal(workload(queries=[query(), query(queryid="q2", query="a\x00b")]))
            assert "queries[1].query has the character U+0000 at position 1" in error.message

        def test_a_name_that_stands_twice(self, refusal: Refusal) -> None:
            body = json.dumps(workload()).encode()
            assert '"queries" stands twice' in refusal(body[:-1] + b', "queries": []}').message
            twice = body.replace(b'"queryid": "q1"', b'"queryid": "q1", "queryid": "q2"')
            assert '"queryid" stands twice' in refusal(twice).message

    class TestRefusesAsWorkload:
        @pytest.mark.parametrize("name", ["url", "ddl", "queries"])
        def test_a_missing_field_by_its_name(self, refusal: Refusal, name: str) -> None:
            error = refusal(workload(**{name: ...}))
            assert error.message == f"{name} is missing."
            assert error.context["place"] == name

        def test_a_missing_field_of_a_query(self, refusal: Refusal) -> None:
            assert refusal(workload(queries=[query(), {"queryid": "x"}])).message == "queries[1].query is missing."

        @pytest.mark.parametrize("name", ["ddl", "queries"])
        def test_an_empty_list(self, refusal: Refusal, name: str) -> None:
            assert refusal(workload(**{name: []})).message == f"{name} is empty: it needs at least one entry."

        @pytest.mark.parametrize(
            ("change", "sentence"),
            [
                ({"runquantity": True}, "queries[0].runquantity must be a whole number, not a boolean."),
                ({"runquantity": "5"}, "queries[0].runquantity must be a whole number, not text."),
                ({"runquantity": 2.5}, "queries[0].runquantity must be a whole number, not a fraction."),
                ({"runquantity": None}, "queries[0].runquantity must be a whole number, not null."),
                ({"runquantity": -1}, "queries[0].runquantity: must be greater than or equal to 0."),
                ({"executiontime": False}, "queries[0].executiontime must be a number, not a boolean."),
                ({"executiontime": -1}, "queries[0].executiontime: must be greater than or equal to 0."),
                ({"query": None}, "queries[0].query must be text, not null."),
                ({"queryid": ""}, "queries[0].queryid is empty: it needs at least one character."),
                ({"queryid": "x" * 1001}, "queries[0].queryid is too long: at most 1,000 characters."),
            ],
        )
        def test_a_wrong_value_in_one_sentence(self, refusal: Refusal, change: dict[str, Any], sentence: str) -> None:
            assert refusal(workload(queries=[query(**change)])).message == sentence

        def test_a_number_as_queryid_with_the_cure(self, refusal: Refusal) -> None:
            message = refusal(workload(queries=[query(queryid=7)])).message
            assert "must be text, not a number: put it in quotes" in message

        def test_an_unknown_option_by_its_name(self, refusal: Refusal) -> None:
            error = refusal(workload(options={"verfy": "none"}))
            assert "options.verfy is not an option" in error.message
            assert error.context["place"] == "options.verfy"

        def test_a_design_that_is_no_task(self, refusal: Refusal) -> None:
            assert refusal(workload(options={"design": "mine"})).context["place"] == "options.design"

        def test_the_first_twenty_problems_and_counts_the_rest(self, refusal: Refusal) -> None:
            error = refusal(workload(queries=[{}] * 30_000))
            assert len(error.context["problems"]) == 20
            assert error.context["problem_count"] == 60_000
            assert error.message.endswith("And 59,980 more.")

        def test_equal_queryids_by_their_places(self, refusal: Refusal) -> None:
            error = refusal(workload(queries=[query(), query(queryid="q2"), query()]))
            assert error.message == 'queries[2].queryid "q1" is the same as that of queries[0].'

        def test_too_many_queries(self, tmp_path: Path) -> None:
            few = Settings(_env_file=None, data_dir=tmp_path, max_queries=2)  # type: ignore[call-arg]
            with pytest.raises(WorkloadFormat, match="at most 2 "):
                read_new_task(json.dumps(workload(queries=[query()] * 3)).encode(), few)

        def test_a_body_above_the_limit(self, tmp_path: Path) -> None:
            small = Settings(_env_file=None, data_dir=tmp_path, max_body_bytes=1024)  # type: ignore[call-arg]
            with pytest.raises(BodyTooLarge) as caught:
                read_new_task(b" " * 1025, small)
            assert caught.value.status == 413

    class TestRefusesAsDdl:
        def test_no_table(self, refusal: Refusal) -> None:
            assert "creates no table" in refusal(workload(ddl=[{"statement": "CREATE SCHEMA lake.sales"}])).message

        def test_no_full_name(self, refusal: Refusal) -> None:
            error = refusal(workload(ddl=[{"statement": "CREATE TABLE sales.orders (id int)"}]))
            assert '"sales.orders"; write <catalog>.<schema>.<table>' in error.message

        def test_more_than_one_catalog(self, refusal: Refusal) -> None:
            ddl = [{"statement": DDL}, {"statement": "CREATE TABLE other.s.t (id int)"}]
            error = refusal(workload(ddl=ddl))
            assert '"other" in ddl[1].statement' in error.message

        def test_nothing_that_one_statement_among_others_has(self, read: Read) -> None:
            ddl = [{"statement": "CREATE SCHEMA lake.sales"}, {"statement": DDL}, {"statement": DDL.upper()}]
            assert read(workload(ddl=ddl)).table_count == 1
