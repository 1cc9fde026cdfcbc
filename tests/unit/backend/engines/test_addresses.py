"""Which addresses may be touched, and the sentences that say why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from heavy_stack.backend.engines.addresses import Unreachable, find_lake
from heavy_stack.backend.engines.options import EngineOptions


def why(url: str, options: EngineOptions) -> str:
    with pytest.raises(Unreachable) as reason:
        find_lake(url, options)
    return str(reason.value)


class TestLakeFolders:
    def test_a_folder_below_a_root_is_found(self, options: EngineOptions, lake_root: Path) -> None:
        assert find_lake(f"jdbc:duckdb:{lake_root}", options) == lake_root.resolve()
        assert find_lake(f"JDBC:DuckDB:{lake_root}/shop", options) == (lake_root / "shop").resolve()

    @pytest.mark.parametrize(
        "path", ["/etc", "{root}/../..", "{root}/..", "{root}/out", "{root}/gone", "{root}-2", "/"]
    )
    def test_everything_else_is_refused_alike(
        self, options: EngineOptions, lake_root: Path, tmp_path: Path, path: str
    ) -> None:
        (lake_root / "out").symlink_to("/etc")
        (tmp_path / "lake-2").mkdir()  # the root's name is only the start of its name
        reason = why(f"jdbc:duckdb:{path.format(root=lake_root)}", options)
        assert "HEAVY_LAKE_ROOTS" in reason or ".." in reason
        assert str(tmp_path) not in reason

    def test_a_symlink_inside_the_roots_may_be_followed(self, options: EngineOptions, lake_root: Path) -> None:
        (lake_root / "alias").symlink_to(lake_root / "shop")
        assert find_lake(f"jdbc:duckdb:{lake_root}/alias", options) == (lake_root / "shop").resolve()

    def test_a_root_that_is_a_symlink_works(self, options: EngineOptions, lake_root: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(lake_root)
        linked = replace(options, lake_roots=(tmp_path / "link",))
        assert find_lake(f"jdbc:duckdb:{tmp_path}/link/shop", linked) == (lake_root / "shop").resolve()

    @pytest.mark.parametrize("rest", ["", "relative/folder", ":memory:", "lake.duckdb"])
    def test_only_absolute_paths_mean_something(self, options: EngineOptions, rest: str) -> None:
        assert "absolute" in why(f"jdbc:duckdb:{rest}", options)

    def test_a_file_must_be_a_duckdb_file(self, options: EngineOptions, lake_root: Path) -> None:
        assert "neither" in why(f"jdbc:duckdb:{lake_root}/shop/sale/a.parquet", options)


class TestTrino:
    def test_a_host_that_is_not_allowed_is_named(self, options: EngineOptions) -> None:
        reason = why("jdbc:trino://trino.example.com:8443/lake/shop?SSL=true", replace(options, embedded=False))
        assert "trino.example.com:8443" in reason
        assert "HEAVY_TRINO_ALLOW" in reason

    def test_loopback_must_be_named_unless_embedded(self, options: EngineOptions) -> None:
        assert "HEAVY_TRINO_ALLOW" in why("jdbc:trino://localhost:8080", replace(options, embedded=False))
        assert "does not contact Trino yet" in why("jdbc:trino://localhost:8080", options)

    @pytest.mark.parametrize(
        ("url", "pattern"),
        [
            ("jdbc:trino://t1.example.com:8080/c", "*.example.com:8080"),
            ("jdbc:trino://T1.example.com/c", "t1.example.com:8080"),
            ("jdbc:trino://t1.example.com/c?SSL=true", "t1.example.com:443"),
        ],
    )
    def test_an_allowed_host_waits_for_its_version(self, options: EngineOptions, url: str, pattern: str) -> None:
        assert "yet" in why(url, replace(options, trino_allow=(pattern,), embedded=False))

    @pytest.mark.parametrize("url", ["jdbc:trino://", "jdbc:trino://host:99999999/x", "jdbc:trino:nothing"])
    def test_a_broken_address_is_no_error(self, options: EngineOptions, url: str) -> None:
        assert why(url, options)

    def test_other_engines_are_unknown(self, options: EngineOptions) -> None:
        assert "knows" in why("jdbc:postgresql://db/x", options)
        assert "knows" in why("", options)
