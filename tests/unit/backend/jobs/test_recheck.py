"""Tests of what a child does with a recheck: a design's certificates, run again on the data."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pytest

from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.backend.jobs.kinds import run_job
from heavy_stack.backend.jobs.link import Job
from heavy_stack.errors import InputError
from heavy_stack.shared_models.answers import RecheckView
from heavy_stack.shared_models.reports import Recheck
from heavy_stack.shared_models.tasks import TaskKind
from tests.unit.backend.jobs.test_advise import RecordingLink

TASK = "0c7e5b8e-6f0e-4c53-9a55-3f2b8c8f1d11"
DESIGN = "7d4c1f4a-3d7e-4f0b-9d6e-2f1a6f0c9b33"
DDL = "CREATE TABLE lake.shop.stores (store_id bigint, city varchar)"
UNIQUE = "SELECT store_id FROM lake.shop.stores WHERE store_id IS NOT NULL GROUP BY store_id HAVING COUNT(*) > 1"
FILLED = "SELECT 1 FROM lake.shop.stores WHERE city IS NULL"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Three stores; ids are unique, one has no city."""
    folder = tmp_path / "lake" / "shop" / "stores"
    folder.mkdir(parents=True)
    fill(folder, "(1, 'Bern'), (2, NULL), (3, 'Rome')")
    return tmp_path / "lake"


def fill(folder: Path, rows: str) -> None:
    select = f"SELECT CAST(i AS BIGINT) AS store_id, CAST(c AS VARCHAR) AS city FROM (VALUES {rows}) AS t(i, c)"
    duckdb.connect().execute(f"COPY ({select}) TO '{folder / 'part.parquet'}' (FORMAT parquet)")


def found(url: str, lake: Path, *conditions: tuple[str, str], left_s: float = 60.0) -> Recheck:
    request = {
        "design": DESIGN,
        "url": url,
        "ddl": [{"statement": DDL}],
        "certificates": [{"name": name, "sql": sql, "outcome": "holds", "queries": 2} for name, sql in conditions],
    }
    options = EngineOptions((lake,), lake.parent / "scratch")
    job = Job(TASK, json.dumps(request).encode(), None, {}, 60.0, left_s, options, kind=TaskKind.RECHECK)
    body = gzip.decompress(run_job(job, RecordingLink()).body_gzip)
    assert not (lake.parent / "scratch" / TASK).exists()
    return RecheckView.model_validate_json(body).recheck


class TestRecheck:
    def test_says_which_hold_and_which_the_data_breaks(self, lake: Path) -> None:
        recheck = found(f"jdbc:duckdb:{lake}", lake, ("unique", UNIQUE), ("filled", FILLED))
        assert [item.outcome for item in recheck.certificates] == ["holds", "broken"]
        assert [item.queries for item in recheck.certificates] == [2, 2]
        assert (recheck.design, recheck.broken, recheck.unknown) == (DESIGN, 1, 0)
        assert all(item.at == recheck.at for item in recheck.certificates)

    def test_sees_the_data_as_it_is_now(self, lake: Path) -> None:
        assert found(f"jdbc:duckdb:{lake}", lake, ("unique", UNIQUE)).broken == 0
        fill(lake / "shop" / "stores", "(1, 'Bern'), (1, 'Rome')")
        assert found(f"jdbc:duckdb:{lake}", lake, ("unique", UNIQUE)).broken == 1

    @pytest.mark.parametrize("url", ["jdbc:trino://nowhere.invalid:8080/lake/shop", "jdbc:duckdb:/nowhere"])
    def test_without_an_engine_nothing_is_known(self, lake: Path, url: str) -> None:
        recheck = found(url, lake, ("unique", UNIQUE))
        assert [item.outcome for item in recheck.certificates] == ["unknown"]
        assert recheck.note
        assert recheck.certificates[0].detail == recheck.note

    def test_what_cannot_run_is_unknown_and_the_others_are_checked(self, lake: Path) -> None:
        recheck = found(f"jdbc:duckdb:{lake}", lake, ("odd", "SELECT nothing FROM lake.shop.stores"), ("u", UNIQUE))
        assert [item.outcome for item in recheck.certificates] == ["unknown", "holds"]

    def test_after_the_time_nothing_is_asked(self, lake: Path) -> None:
        recheck = found(f"jdbc:duckdb:{lake}", lake, ("unique", UNIQUE), left_s=-1.0)
        assert [item.outcome for item in recheck.certificates] == ["unknown"]

    def test_a_design_without_conditions_asks_no_engine(self, lake: Path) -> None:
        recheck = found("jdbc:duckdb:/nowhere", lake)
        assert (recheck.certificates, recheck.note) == ([], None)


class TestKinds:
    def test_an_unknown_kind_fails_with_a_sentence(self, lake: Path) -> None:
        job = Job(TASK, b"{}", None, {}, 60.0, 60.0, EngineOptions((lake,), lake), kind="dance")
        with pytest.raises(InputError, match="dance"):
            run_job(job, RecordingLink())
