"""The arguments that call a mutant equivalent: each holds for a right pair, and not for the wrong one next to it."""

from __future__ import annotations

import pytest
from sqlglot import exp

from dev_scripts.mutants.equivalence import argument_for_table, argument_for_text
from dev_scripts.mutants.null_facts import Known
from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified

CATALOG = Catalog(
    [
        Table(
            TableName("lake", "shop", "sales"),
            (
                Column("id", "bigint", nullable=False),
                Column("day", "date"),
                Column("store", "integer"),
                Column("price", "decimal(10,2)"),
                Column("channel", "varchar"),
            ),
        ),
        Table(TableName("lake", "shop", "stores"), (Column("id", "integer"), Column("city", "varchar"))),
    ]
)
S, T = "lake.shop.sales", "lake.shop.stores"
ROLLUP = f"SELECT date_trunc('month', day) AS m, store AS k, COUNT(*) AS n, SUM(price) AS s FROM {S} GROUP BY 1, 2"
VIEW = TableName("lake", "shop", "by_month")
DESIGNED = CATALOG.with_tables(
    [Table(VIEW, (Column("m", "date"), Column("k", "integer"), Column("n", "bigint"), Column("s", "decimal(38,2)")))]
)
KNOWN = Known(CATALOG, {VIEW: qualified(ROLLUP, CATALOG)})
V = "lake.shop.by_month"
INNER = f"SELECT k, m, SUM(n) AS n FROM {V} WHERE {{asked}} GROUP BY k, m"
FAR = f"WITH g AS ({INNER}), h AS (SELECT k, MAX(n) AS n FROM g GROUP BY k) SELECT h.n, t.city FROM h {{join}} {T} AS t"
JOINED = f"WITH g AS (SELECT t.id, s.day FROM {S} AS s {{side}} JOIN {T} AS t ON t.id = s.store) "
TWICE = JOINED + "SELECT a.day FROM g AS a JOIN g AS b ON a.id = b.id WHERE {asked}"
ONCE = JOINED + "SELECT a.day, b.day AS d FROM g AS a LEFT JOIN g AS b ON a.id = b.id"
BELOW = f"SELECT id FROM {S} AS s WHERE {{asked}} s.id < (SELECT {{value}} FROM {S} AS x WHERE x.store = s.store)"
ENOUGH = f"SELECT CASE WHEN (SELECT {{value}} FROM {V} WHERE k = 1) > {{bound}} THEN 1 END AS c FROM {T}"
COUNTED = (
    f"SELECT s.store, COUNT(t.id) AS c FROM {S} AS s LEFT JOIN {T} AS t ON t.id = s.store {{also}} GROUP BY s.store"
)
YEARS = f"WITH y AS (SELECT year(day) AS y, {{part}} AS m, MAX(id) AS n FROM {S} GROUP BY year(day), {{part}}) "
AGAIN = YEARS + "SELECT a.m, b.n FROM y AS a JOIN y AS b ON a.m {op} b.m AND b.y = 2024 WHERE a.y = 2025"
ONE_MONTH = f"SELECT {{call}}(s) AS s FROM {V} WHERE k = 1 AND m >= DATE '2024-02-01' AND m < DATE '{{end}}'"
EITHER = f"SELECT store FROM {S} {{first}} SELECT id FROM {T} {{second}} SELECT k FROM {V}"
BOTH = f"(SELECT * FROM {S} UNION ALL SELECT * FROM {S})"
SOME = "CAST(SUM(CASE WHEN channel = 'a' THEN price END) AS DOUBLE)"
SHARE = "SELECT store, " + SOME + " / SUM(price) AS p FROM {source} AS s GROUP BY 1"
NAMED = f"WITH g AS (SELECT store, SUM(price) AS p FROM {S} GROUP BY store ORDER BY p{{order}}) SELECT store, p FROM g"
ARMS = "SELECT CASE WHEN {} THEN 1 WHEN {} THEN 2 END AS c FROM lake.shop.sales"
SPRING, WINTER = "month(day) = 4", "(month(day) = 12 AND store = 1) OR month(day) = 1"
LABELLED = "SELECT 'a' AS x, 'p' || channel AS y, n FROM {0} UNION {1} SELECT 'b', 'q' || channel, n FROM {0}"
GROUPED = f"(SELECT channel, COUNT(*) AS n FROM {S} GROUP BY channel) AS g"
PART = "CASE WHEN channel = 'a' THEN {} END"
GAP = f"SELECT (price - {PART.format('id {}')}) / {PART.format('{}')} AS c FROM {S}"
FEW = f"SELECT store, SUM({PART.format('id {}')}) / {{}} AS c FROM {S} GROUP BY store"
COUNT_OF_PART = f"NULLIF(SUM({PART.format('1 ELSE 0')}), 0)"
WITH_MONTH = (
    f"WITH g AS (SELECT store, channel, COUNT(*) AS n FROM {S} GROUP BY store, channel), "
    f"h AS (SELECT store, COUNT(*) AS n FROM {S} GROUP BY store) "
    "SELECT {call}(CASE WHEN g.n > 3 THEN g.n END) AS n FROM g JOIN h ON g.store = h.store GROUP BY g.store{also}"
)
GUARDED = f"SELECT day FROM {S} WHERE {{}} AND CASE WHEN {{}} THEN id / store END > 2"
SHARES = (
    f"SELECT CASE WHEN store / NULLIF(id, 0) > {{}} THEN 1 WHEN id / NULLIF(store, 0) > {{}} THEN 2 END AS c FROM {S}"
)
SHARES = SHARES.replace("store /", "store * 1.0 /").replace("id /", "id * 1.0 /")
TURNED = SHARES.replace("1 WHEN", "3 WHEN").replace("2 END", "1 END").replace("3 WHEN", "2 WHEN")
TURNED = TURNED.replace("store *", "x *").replace("(id,", "(y,").replace("id *", "store *").replace("(store,", "(id,")
TURNED = TURNED.replace("x *", "id *").replace("(y,", "(store,")
ENOUGH_OF = f"SELECT k, {{}} AS s FROM {V} GROUP BY k HAVING {{}} > (SELECT 1 AS c)"
MEAN = f"SELECT (SELECT SUM(s) / {{}} AS c FROM {V} AS v WHERE v.k = t.id) AS c FROM {T} AS t"
SOME_SUM = f"SUM({PART.format('price')})"
EQUIVALENT = (
    (FEW.format("ELSE 0", SOME_SUM), FEW.format("", SOME_SUM)),
    (ENOUGH_OF.format("SUM(s)", "SUM(s)"), ENOUGH_OF.format("COALESCE(SUM(s), 0)", "SUM(s)")),
    (MEAN.format("SUM(n)"), MEAN.format("COALESCE(SUM(n), 0)")),
    (GAP.format("ELSE 0", "price"), GAP.format("", "price")),
    (FEW.format("ELSE 0", COUNT_OF_PART), FEW.format("", COUNT_OF_PART)),
    (WITH_MONTH.format(call="MAX", also=", g.channel"), WITH_MONTH.format(call="SUM", also=", g.channel")),
    (f"SELECT ROUND(price, 2) AS p FROM {S}", f"SELECT ROUND(price, 3) AS p FROM {S}"),
    (f"SELECT ROUND(id, 0) AS p FROM {S}", f"SELECT ROUND(id, 1) AS p FROM {S}"),
    (GUARDED.format("store > 0", "store > 0"), GUARDED.format("store >= 0", "store > 0")),
    (GUARDED.format("store > 0", "store > 0"), GUARDED.format("store > 0", "store >= 0")),
    (SHARES.format("1.5", "0.7"), TURNED.format("0.7", "1.5")),
    (
        f"SELECT id / NULLIF(store, 0) AS c FROM {S} WHERE store > 0",
        f"SELECT id / store AS c FROM {S} WHERE store > 0",
    ),
    (
        f"SELECT k FROM {V} GROUP BY k HAVING SUM(n) > 0 AND MAX(s) = 1",
        f"SELECT k FROM {V} GROUP BY k HAVING MAX(n) > 0 AND MAX(s) = 1",
    ),
    (LABELLED.format(GROUPED, "ALL"), LABELLED.format(GROUPED, "")),
    (SHARE.format(source=S), SHARE.format(source=BOTH)),
    (NAMED.format(order=" DESC"), NAMED.format(order="")),
    (
        ARMS.format(SPRING, WINTER),
        ARMS.format(WINTER, SPRING).replace("1 WHEN", "3 WHEN").replace("2 END", "1 END").replace("3 WHEN", "2 WHEN"),
    ),
    (AGAIN.format(part="month(day)", op="="), AGAIN.format(part="month(day)", op="IS NOT DISTINCT FROM")),
    (ONE_MONTH.format(call="SUM", end="2024-03-01"), ONE_MONTH.format(call="AVG", end="2024-03-01")),
    (EITHER.format(first="UNION", second="UNION"), EITHER.format(first="UNION ALL", second="UNION")),
    (
        FAR.format(asked="k IS NOT NULL", join="JOIN") + " ON h.k = t.id",
        FAR.format(asked="TRUE", join="JOIN") + " ON h.k = t.id",
    ),
    (TWICE.format(side="LEFT", asked="TRUE"), TWICE.format(side="", asked="TRUE")),
    (f"SELECT m, k, SUM(s) AS s FROM {V} GROUP BY m, k", f"SELECT m, k, AVG(s) AS s FROM {V} GROUP BY m, k"),
    (
        f"SELECT store, MIN(store) AS a FROM {S} GROUP BY store",
        f"SELECT store, MAX(store) AS a FROM {S} GROUP BY store",
    ),
    (ENOUGH.format(value="COALESCE(SUM(n), 0)", bound=5), ENOUGH.format(value="SUM(n)", bound=5)),
    (BELOW.format(asked="s.store IS NOT NULL AND", value="MAX(x.id)"), BELOW.format(asked="", value="MAX(x.id)")),
    (COUNTED.format(also="") + ", t.id", COUNTED.format(also="")),
    (f"SELECT COUNT(id) AS c FROM {S}", f"SELECT COUNT(*) AS c FROM {S}"),
    (f"SELECT COALESCE(SUM(n), 0) AS c, k FROM {V} GROUP BY k", f"SELECT SUM(n) AS c, k FROM {V} GROUP BY k"),
    (
        f"SELECT id FROM {S} WHERE day IS NOT NULL AND day > DATE '2024-01-01'",
        f"SELECT id FROM {S} WHERE day > DATE '2024-01-01'",
    ),
    (
        f"SELECT s.id FROM {S} AS s LEFT JOIN {T} AS t ON t.id = s.store WHERE t.city = 'a'",
        f"SELECT s.id FROM {S} AS s JOIN {T} AS t ON t.id = s.store WHERE t.city = 'a'",
    ),
    (
        f"SELECT CASE WHEN store < 3 THEN 'a' WHEN store > 5 THEN 'b' END AS c FROM {S}",
        f"SELECT CASE WHEN store > 5 THEN 'b' WHEN store < 3 THEN 'a' END AS c FROM {S}",
    ),
    (
        f"SELECT DISTINCT store, SUM(price) AS p FROM {S} GROUP BY store",
        f"SELECT store, SUM(price) AS p FROM {S} GROUP BY store",
    ),
    (
        f"SELECT SUM(s) AS s FROM {V} WHERE m >= DATE '2024-01-31'",
        f"SELECT SUM(s) AS s FROM {V} WHERE m > DATE '2024-01-05'",
    ),
    (
        f"SELECT k, SUM(n) AS n FROM {V} GROUP BY k HAVING SUM(n) > 0",
        f"SELECT k, SUM(n) AS n FROM {V} GROUP BY k HAVING SUM(n) >= 0",
    ),
    (
        f"SELECT k, SUM(n) AS n FROM {V} GROUP BY k HAVING SUM(n) > 0",
        f"SELECT k, SUM(n) AS n FROM {V} GROUP BY k HAVING TRUE",
    ),
    (
        f"SELECT 'a' AS x, COUNT(*) AS n FROM {S} UNION SELECT 'b', COUNT(*) FROM {T}",
        f"SELECT 'a' AS x, COUNT(*) AS n FROM {S} UNION ALL SELECT 'b', COUNT(*) FROM {T}",
    ),
)
DIFFERENT = (
    (ENOUGH_OF.format("SUM(s)", "SUM(n)"), ENOUGH_OF.format("COALESCE(SUM(s), 0)", "SUM(n)")),
    (
        MEAN.replace("SUM(s) /", "SUM(n) /").format("SUM(s)"),
        MEAN.replace("SUM(s) /", "SUM(n) /").format("COALESCE(SUM(s), 1)"),
    ),
    (GAP.format("ELSE 0", "price ELSE 1"), GAP.format("", "price ELSE 1")),
    (FEW.format("ELSE 0", "COUNT(*)"), FEW.format("", "COUNT(*)")),
    (
        FEW.replace("id {}", "price {}").format("ELSE 0", COUNT_OF_PART),
        FEW.replace("id {}", "price {}").format("", COUNT_OF_PART),
    ),
    (WITH_MONTH.format(call="MAX", also=""), WITH_MONTH.format(call="SUM", also="")),
    (f"SELECT ROUND(price, 2) AS p FROM {S}", f"SELECT ROUND(price, 1) AS p FROM {S}"),
    (f"SELECT ROUND(id, -1) AS p FROM {S}", f"SELECT ROUND(id, -2) AS p FROM {S}"),
    (GUARDED.format("store > 0", "store > 0"), GUARDED.format("store > 0", "store > 1")),
    (SHARES.format("1.2", "0.7"), TURNED.format("0.7", "1.2")),
    (
        f"SELECT id / NULLIF(store, 0) AS c FROM {S} WHERE store >= 0",
        f"SELECT id / store AS c FROM {S} WHERE store >= 0",
    ),
    (
        f"SELECT k FROM {V} GROUP BY k HAVING SUM(s) > 0 AND MAX(n) = 1",
        f"SELECT k FROM {V} GROUP BY k HAVING MAX(s) > 0 AND MAX(n) = 1",
    ),
    (
        LABELLED.format(f"(SELECT channel, id AS n FROM {S}) AS g", "ALL"),
        LABELLED.format(f"(SELECT channel, id AS n FROM {S}) AS g", ""),
    ),
    (SHARE.replace("/ SUM", "- SUM").format(source=S), SHARE.replace("/ SUM", "- SUM").format(source=BOTH)),
    (
        NAMED.format(order=" DESC LIMIT 3").replace("SELECT store, p FROM g", "SELECT store FROM g"),
        NAMED.format(order=" LIMIT 3").replace("SELECT store, p FROM g", "SELECT store FROM g"),
    ),
    (AGAIN.format(part="store", op="="), AGAIN.format(part="store", op="IS NOT DISTINCT FROM")),
    (ONE_MONTH.format(call="SUM", end="2024-03-02"), ONE_MONTH.format(call="AVG", end="2024-03-02")),
    (EITHER.format(first="UNION", second="UNION ALL"), EITHER.format(first="UNION ALL", second="UNION ALL")),
    (
        FAR.format(asked="k IS NOT NULL", join="LEFT JOIN") + " ON h.k = t.id",
        FAR.format(asked="TRUE", join="LEFT JOIN") + " ON h.k = t.id",
    ),
    (ONCE.format(side="LEFT"), ONCE.format(side="")),
    (f"SELECT k, SUM(s) AS s FROM {V} GROUP BY k", f"SELECT k, AVG(s) AS s FROM {V} GROUP BY k"),
    (f"SELECT store, MIN(id) AS a FROM {S} GROUP BY store", f"SELECT store, MAX(id) AS a FROM {S} GROUP BY store"),
    (ENOUGH.format(value="COALESCE(SUM(n), 9)", bound=5), ENOUGH.format(value="SUM(n)", bound=5)),
    (BELOW.format(asked="s.store IS NOT NULL AND", value="COUNT(*)"), BELOW.format(asked="", value="COUNT(*)")),
    (COUNTED.format(also="AND s.channel = 'a'") + ", t.id", COUNTED.format(also="AND s.channel = 'a'")),
    (f"SELECT COUNT(store) AS c FROM {S}", f"SELECT COUNT(*) AS c FROM {S}"),
    (f"SELECT COALESCE(SUM(n), 0) AS c FROM {V}", f"SELECT SUM(n) AS c FROM {V}"),
    (
        f"SELECT id FROM {S} WHERE day IS NOT NULL OR day > DATE '2024-01-01'",
        f"SELECT id FROM {S} WHERE day > DATE '2024-01-01'",
    ),
    (
        f"SELECT s.id FROM {S} AS s LEFT JOIN {T} AS t ON t.id = s.store WHERE s.channel = 'a'",
        f"SELECT s.id FROM {S} AS s JOIN {T} AS t ON t.id = s.store WHERE s.channel = 'a'",
    ),
    (
        f"SELECT CASE WHEN store < 6 THEN 'a' WHEN store > 5 THEN 'b' WHEN store > 4 THEN 'c' END AS c FROM {S}",
        f"SELECT CASE WHEN store > 4 THEN 'c' WHEN store > 5 THEN 'b' WHEN store < 6 THEN 'a' END AS c FROM {S}",
    ),
    (f"SELECT DISTINCT SUM(price) AS p FROM {S} GROUP BY store", f"SELECT SUM(price) AS p FROM {S} GROUP BY store"),
    (
        f"SELECT SUM(s) AS s FROM {V} WHERE m >= DATE '2024-02-01'",
        f"SELECT SUM(s) AS s FROM {V} WHERE m > DATE '2024-02-01'",
    ),
    (f"SELECT k FROM {V} GROUP BY k HAVING SUM(s) > 0", f"SELECT k FROM {V} GROUP BY k HAVING SUM(s) >= 0"),
    (f"SELECT k FROM {V} GROUP BY k HAVING SUM(s) > 0", f"SELECT k FROM {V} GROUP BY k HAVING TRUE"),
    (
        f"SELECT 'a' AS x, COUNT(*) AS n FROM {S} UNION SELECT 'a', COUNT(*) FROM {T}",
        f"SELECT 'a' AS x, COUNT(*) AS n FROM {S} UNION ALL SELECT 'a', COUNT(*) FROM {T}",
    ),
)


def argument(right: str, wrong: str) -> str | None:
    """What is said about two texts."""
    return argument_for_text(qualified(right, DESIGNED), qualified(wrong, DESIGNED), KNOWN)


def about_table(text: str, wrong: str) -> str | None:
    """What is said about a text over another version of the table."""
    readings = [node for node in qualified(text, DESIGNED).find_all(exp.Table) if node.name == VIEW.name]
    return argument_for_table(readings, qualified(ROLLUP, CATALOG), qualified(wrong, CATALOG), KNOWN)


class TestTexts:
    @pytest.mark.parametrize(("right", "wrong"), EQUIVALENT)
    def test_says_why_two_are_equivalent(self, right: str, wrong: str) -> None:
        assert argument(right, wrong)

    @pytest.mark.parametrize(("right", "wrong"), DIFFERENT)
    def test_says_nothing_where_they_are_not(self, right: str, wrong: str) -> None:
        assert argument(right, wrong) is None


class TestTables:
    FINER = ROLLUP.replace("GROUP BY 1, 2", "GROUP BY date_trunc('month', day), store, channel")
    COARSER = ROLLUP.replace("'month'", "'quarter'")

    def test_a_text_that_adds_up_does_not_see_finer_rows(self) -> None:
        assert about_table(f"SELECT k, SUM(s) AS s FROM {V} GROUP BY k", self.FINER)

    def test_a_text_that_counts_rows_does(self) -> None:
        assert about_table(f"SELECT k, COUNT(*) AS s FROM {V} GROUP BY k", self.FINER) is None
        assert about_table(f"SELECT k, AVG(s) AS s FROM {V} GROUP BY k", self.FINER) is None
        assert about_table(f"SELECT k, s FROM {V}", self.FINER) is None

    def test_bounds_at_quarters_do_not_see_months(self) -> None:
        text = f"SELECT SUM(s) AS s FROM {V} WHERE m >= DATE '2024-04-01'"
        assert about_table(text, self.COARSER)
        assert about_table(text.replace("04-01", "05-01"), self.COARSER) is None

    def test_rows_with_a_null_key_may_go_where_the_text_refuses_them(self) -> None:
        lost = ROLLUP.replace(" GROUP BY", " WHERE store IS NOT NULL GROUP BY")
        assert about_table(f"SELECT SUM(s) AS s FROM {V} WHERE k = 3", lost)
        assert about_table(f"SELECT SUM(s) AS s FROM {V}", lost) is None

    def test_groups_that_the_text_refuses_may_differ(self) -> None:
        table = (
            f"SELECT store AS k, CASE WHEN store > 0 THEN id / store END AS s, COUNT(*) FILTER (WHERE store > 0) AS n "
            f"FROM {S} GROUP BY store, CASE WHEN store > 0 THEN id / store END"
        )
        right, wrong = qualified(table, CATALOG), qualified(table.replace("> 0 THEN", ">= 0 THEN"), CATALOG)
        for asked, sound in (("WHERE n > 0", True), ("WHERE n >= 0", False), ("", False)):
            text = qualified(f"SELECT k, s FROM {V} {asked}", DESIGNED)
            readings = [node for node in text.find_all(exp.Table) if node.name == VIEW.name]
            assert bool(argument_for_table(readings, right, wrong, KNOWN)) is sound

    def test_shares_of_a_table_stay_when_its_source_is_doubled(self) -> None:
        twice = ROLLUP.replace(f"FROM {S}", f"FROM {BOTH} AS sales")
        some = "CAST(SUM(CASE WHEN m > DATE '2024-01-01' THEN s ELSE 0 END) AS DOUBLE)"
        for shown, sound in (
            (f"{some} / SUM(s)", True),
            (f"{some} / SUM(n)", True),
            (f"{some} / COUNT(*)", False),
            (f"{some} + 1", False),
            (f"{some} / SUM(s) FILTER (WHERE n > 5)", False),
            (f"MAX(s) > SUM(n) AND {some} > 0", True),
            (f"CASE WHEN SUM(n) > 5 THEN {some} / SUM(s) END", False),
        ):
            text = f"SELECT k, {shown} AS p FROM {V} WHERE n > 0 GROUP BY k"
            assert bool(about_table(text, twice)) is sound, shown

    def test_a_short_decimal_comes_back_from_a_double(self) -> None:
        table = f"SELECT store AS k, MAX(price) AS s, SUM(price) AS n FROM {S} GROUP BY 1"
        text = f"SELECT k, s, n FROM {V}"
        right = qualified(table, CATALOG)
        readings = [node for node in qualified(text, DESIGNED).find_all(exp.Table) if node.name == VIEW.name]
        for call, sound in (("MAX", True), ("SUM", False)):
            wrong = qualified(table.replace(f"{call}(price)", f"{call}(CAST(price AS DOUBLE))"), CATALOG)
            assert bool(argument_for_table(readings, right, wrong, KNOWN)) is sound

    def test_rows_without_any_measure_may_come_in_where_the_text_ignores_them(self) -> None:
        join = (
            f"SELECT t.city AS k, SUM(s.price) AS s FROM {T} AS t {{side}} JOIN {S} AS s ON s.store = t.id GROUP BY 1"
        )
        right, wrong = (qualified(join.format(side=side), CATALOG) for side in ("", "LEFT"))
        for text, sound in (
            (f"SELECT k FROM {V} WHERE s > (SELECT AVG(s) FROM {V})", True),
            (f"SELECT k FROM {V} WHERE s > (SELECT COUNT(*) FROM {V})", False),
            (f"SELECT k, s FROM {V}", False),
        ):
            readings = [node for node in qualified(text, DESIGNED).find_all(exp.Table) if node.name == VIEW.name]
            assert bool(argument_for_table(readings, right, wrong, KNOWN)) is sound
