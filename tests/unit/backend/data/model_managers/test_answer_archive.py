"""The download."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import PurePosixPath
from uuid import UUID

import pytest

from heavy_stack.backend.data.model_managers.answer_archive import pack_answer
from heavy_stack.shared_models.answers import AnswerQuery, AnswerView
from heavy_stack.shared_models.reports import QueryReport, TextReport
from heavy_stack.shared_models.verdicts import Reason, Verdict
from heavy_stack.shared_models.workloads import DdlStatement
from tests.support.factories import make_report

TASK = UUID(int=7)


def view(queries: dict[str, str], **fields: object) -> AnswerView:
    """An answer with these queries, each unchanged."""
    distinct = list(dict.fromkeys(queries.values()))
    report = make_report(
        texts=[TextReport(verdict=Verdict.UNCHANGED, reason=Reason.NO_GAIN, original=text) for text in distinct],
        queries=[QueryReport(queryid=name, runquantity=1, text=distinct.index(text)) for name, text in queries.items()],
        **fields,
    )
    return AnswerView(
        taskid=TASK,
        ddl=[DdlStatement(statement=f"CREATE {n}") for n in range(12)],
        migrations=[DdlStatement(statement="INSERT 1")],
        queries=[AnswerQuery(queryid=name, query=text) for name, text in queries.items()],
        report=report,
    )


def open_zip(answer: AnswerView) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(pack_answer(answer)))


class TestPackAnswer:
    def test_holds_the_statements_in_order(self) -> None:
        with open_zip(view({"a": "SELECT 1"}, rollback=["DROP 1", "DROP 2"], refresh=["CREATE OR REPLACE 1"])) as z:
            ddl = sorted(name for name in z.namelist() if name.startswith("ddl/"))
            assert [z.read(name).decode() for name in ddl] == [f"CREATE {n}\n;\n" for n in range(12)]
            assert z.read("migrations/00001.sql") == b"INSERT 1\n;\n"
            assert z.read("rollback.sql") == b"DROP 1\n;\n\nDROP 2\n;\n"
            assert z.read("refresh.sql") == b"CREATE OR REPLACE 1\n;\n"
            assert json.loads(z.read("report.json"))["headline"]
            readme = z.read("README.txt").decode()
        places = [readme.index(word) for word in ("ddl/", "migrations/", "queries/", "rollback.sql")]
        assert places == sorted(places)

    def test_empty_scripts_are_left_out(self) -> None:
        with open_zip(view({"a": "SELECT 1"})) as z:
            assert not {"rollback.sql", "refresh.sql", "maintenance.sql"} & set(z.namelist())
            assert "duckdb" not in z.read("README.txt").decode()

    def test_one_file_per_text_and_an_index_for_every_queryid(self) -> None:
        with open_zip(view({"a": "SELECT 1", "b": "SELECT 2", "c": "SELECT 1"})) as z:
            index = json.loads(z.read("queries/index.json"))
            assert [entry["queryid"] for entry in index] == ["a", "b", "c"]
            assert index[0]["file"] == index[2]["file"] != index[1]["file"]
            assert z.read("queries/" + index[1]["file"]) == b"SELECT 2\n;\n"
            assert index[0]["verdict"] == "UNCHANGED"
            assert index[0]["reason"] == "NO_GAIN"

    @pytest.mark.parametrize(
        "queryid",
        ["../../etc/passwd", "/abs", "..", "", "a\x00b", "C:\\x", "ü" * 500, "x" * 1000, "-rf", "con.", "a\nb"],
    )
    def test_a_queryid_never_leads_out_of_the_folder(self, queryid: str) -> None:
        with open_zip(view({queryid: "SELECT 1"})) as z:
            (name,) = [n for n in z.namelist() if n.endswith(".sql") and n.startswith("queries/")]
            path = PurePosixPath(name)
            assert path.parts[0] == "queries"
            assert len(path.parts) == 2
            assert path.name.isascii()
            assert len(path.name) < 100
            assert json.loads(z.read("queries/index.json"))[0]["queryid"] == queryid

    def test_a_comment_at_the_end_does_not_eat_the_semicolon(self) -> None:
        with open_zip(view({"a": "SELECT 1 -- one"})) as z:
            assert z.read("queries/00001_a.sql") == b"SELECT 1 -- one\n;\n"

    def test_duckdb_statements_stand_in_a_folder_of_their_own(self) -> None:
        duckdb = {"ddl": ["CREATE s"], "migrations": ["INSERT s"], "queries": ["SELECT 1"], "rollback": ["DROP s"]}
        with open_zip(view({"a": "SELECT 1"}, duckdb=duckdb)) as z:
            assert z.read("duckdb/ddl/00001.sql") == b"CREATE s\n;\n"
            assert z.read("duckdb/queries/00001.sql") == b"SELECT 1\n;\n"
            assert z.read("duckdb/rollback.sql") == b"DROP s\n;\n"

    def test_same_answer_same_bytes(self) -> None:
        answer = view({"a": "SELECT 1"})
        assert pack_answer(answer) == pack_answer(answer)

    def test_twenty_thousand_queries_fit(self) -> None:
        answer = view({f"q{n}": f"SELECT {n % 500}" for n in range(20_000)})
        start = time.monotonic()
        with open_zip(answer) as z:
            assert len(json.loads(z.read("queries/index.json"))) == 20_000
            assert len([n for n in z.namelist() if n.startswith("queries/") and n.endswith(".sql")]) == 500
        assert time.monotonic() - start < 5
