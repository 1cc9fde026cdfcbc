"""The look at a statement's first tokens."""

from __future__ import annotations

import time

import pytest

from heavy_stack.backend.data.model_managers.task_ddl import created_table


class TestCreatedTable:
    @pytest.mark.parametrize(
        ("statement", "name"),
        [
            ("CREATE TABLE a.b.c (x int)", ("a", "b", "c")),
            ("create table if not exists a.b.c(x int)", ("a", "b", "c")),
            ("CREATE OR REPLACE TABLE a . b\n.c (x int)", ("a", "b", "c")),
            ("-- a note\n/* CREATE TABLE no.no.no */ CREATE/**/TABLE a.b.c (x int)", ("a", "b", "c")),
            ('CREATE TABLE "a.a"."b ""b"".c"."--c" (x int)', ("a.a", 'b "b".c', "--c")),
            ("CREATE TABLE größe.straße.täble (x int)", ("größe", "straße", "täble")),
            ("CREATE TABLE if.b.c (x int)", ("if", "b", "c")),
            ("\ufeffCREATE TABLE a.b.c AS SELECT 1", ("a", "b", "c")),
            ("CREATE TABLE b.c (x int)", ("b", "c")),
            ("CREATE TABLE a.b.c.d.e (x int)", ("a", "b", "c", "d", "e")),
        ],
    )
    def test_reads_the_name(self, statement: str, name: tuple[str, ...]) -> None:
        assert created_table(statement) == name

    @pytest.mark.parametrize(
        "statement",
        [
            "",
            "-- CREATE TABLE a.b.c (x int)",
            "/* CREATE TABLE a.b.c (x int)",
            "CREATE VIEW a.b.c AS SELECT 1",
            "CREATE SCHEMA a.b",
            "SELECT 'CREATE TABLE a.b.c'",
            "'CREATE' TABLE a.b.c",
            "CREATE TABLE",
            'CREATE TABLE "a.b.c',
            "CREATE OR DIE TABLE a.b.c",
        ],
    )
    def test_finds_none_where_none_is_created(self, statement: str) -> None:
        assert created_table(statement) is None

    def test_costs_nothing_for_a_huge_statement(self) -> None:
        statement = "CREATE TABLE a.b.c (" + "x int, " * 5_000_000
        started = time.perf_counter()
        assert created_table(statement) == ("a", "b", "c")
        assert time.perf_counter() - started < 1
