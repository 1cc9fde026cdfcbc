"""Where a lake's tables are found, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.engines.duckdb_lake import NotThere, create_view, read_lake, relation, snapshot
from heavy_stack.backend.engines.duckdb_types import duckdb_type
from tests.unit.backend.engines.conftest import SALE

NAME = SALE.name


def missing(root: Path) -> str:
    return read_lake(root.resolve(), [SALE]).missing[NAME]


class TestReadLake:
    def test_files_and_folders_are_found_in_any_case(self, lake_root: Path) -> None:
        (lake_root / "shop").rename(lake_root / "SHOP")
        (lake_root / "SHOP/sale").rename(lake_root / "SHOP/Sale")
        lake = read_lake(lake_root.resolve(), [SALE])
        assert [file.name for file in lake.tables[NAME].files] == ["a.parquet", "b.parquet"]
        assert lake.allowed_folders() == (str(lake_root.resolve() / "SHOP/Sale"),)

    def test_an_exact_name_wins_over_another_case(self, lake_root: Path) -> None:
        (lake_root / "shop/SALE").mkdir()
        assert read_lake(lake_root.resolve(), [SALE]).tables[NAME].files[0].parent.name == "sale"

    def test_two_other_cases_are_ambiguous(self, lake_root: Path) -> None:
        (lake_root / "shop/sale").rename(lake_root / "shop/SALE")
        (lake_root / "shop/Sale").mkdir()
        assert "differ only in case" in missing(lake_root)

    def test_a_table_without_a_folder_or_files_is_missing(self, lake_root: Path) -> None:
        for file in (lake_root / "shop/sale").iterdir():
            file.unlink()
        assert "no .parquet file" in missing(lake_root)
        (lake_root / "shop/sale").rmdir()
        assert "no folder" in missing(lake_root)

    def test_links_out_of_the_lake_are_refused(self, lake_root: Path, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        (lake_root / "shop/sale").rename(outside)
        (lake_root / "shop/sale").symlink_to(outside)
        assert "outside" in missing(lake_root)

    def test_a_linked_file_is_refused(self, lake_root: Path) -> None:
        (lake_root / "shop/sale/c.parquet").symlink_to(lake_root / "shop/secret/a.parquet")
        assert "c.parquet is not a plain file" in missing(lake_root)

    def test_a_name_with_dots_and_slashes_finds_nothing_else(self, lake_root: Path) -> None:
        for part in ("..", "../secret", "sale/../secret", "/etc"):
            table = Table(TableName("lake", "shop", part), SALE.columns)
            assert table.name in read_lake(lake_root.resolve(), [table]).missing


class TestSnapshot:
    def test_it_changes_with_every_file(self, lake_root: Path) -> None:
        lake = read_lake(lake_root.resolve(), [SALE])
        first = snapshot(lake, [SALE])
        assert snapshot(lake, [SALE]) == first
        file = lake_root / "shop/sale/a.parquet"
        os.utime(file, ns=(1, 1))
        second = snapshot(lake, [SALE])
        (lake_root / "shop/sale/c.parquet").write_bytes(file.read_bytes())
        third = snapshot(lake, [SALE])
        assert len({first, second, third}) == 3

    def test_other_tables_do_not_count(self, lake_root: Path) -> None:
        lake = read_lake(lake_root.resolve(), [SALE])
        first = snapshot(lake, [SALE])
        os.utime(lake_root / "shop/secret/a.parquet", ns=(1, 1))
        assert snapshot(lake, [SALE]) == first


class TestCreateView:
    def view(self, *columns: Column, **found: str) -> str:
        return create_view(Table(NAME, columns), "source", found, duckdb_type)[1]

    def test_only_other_types_are_cast(self) -> None:
        sql = self.view(Column("id", "bigint"), Column("n", "double"), ID="BIGINT", n="INTEGER")
        assert sql.endswith('AS SELECT "ID" AS "id", CAST("n" AS DOUBLE) AS "n" FROM source')

    def test_a_missing_or_ambiguous_column_is_a_reason(self) -> None:
        with pytest.raises(NotThere, match="id is missing"):
            self.view(Column("id", "bigint"), x="BIGINT")
        with pytest.raises(NotThere, match="id is ambiguous"):
            self.view(Column("id", "bigint"), Id="BIGINT", ID="BIGINT")

    def test_another_type_is_a_reason(self) -> None:
        with pytest.raises(NotThere, match=r"amount is DOUBLE .* decimal\(12,2\)"):
            self.view(Column("amount", "decimal(12,2)"), amount="DOUBLE")

    def test_names_are_quoted(self, tmp_path: Path) -> None:
        strange = Table(TableName('a"b', "s", "t"), (Column('c"d', "bigint"),))
        _, sql = create_view(strange, "source", {'c"d': "BIGINT"}, duckdb_type)
        assert sql == 'CREATE VIEW "a""b"."s"."t" AS SELECT "c""d" AS "c""d" FROM source'
        folder = tmp_path / "s" / "it's"
        folder.mkdir(parents=True)
        (folder / "x.parquet").touch()
        quoted = Table(TableName("c", "s", "it's"), ())
        lake = read_lake(tmp_path.resolve(), [quoted])
        assert "it''s/x.parquet'" in relation(lake, lake.tables[quoted.name])
