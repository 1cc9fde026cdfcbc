"""The kinds of wrong rewrite: each makes another query of an example, the same one each time."""

from __future__ import annotations

import pytest

from dev_scripts.mutants.drawing import Mutant, drawn
from dev_scripts.mutants.guards import guards
from dev_scripts.mutants.making import KINDS, Site, mutated, sites
from dev_scripts.mutants.reporting import rate
from dev_scripts.mutants.trying import Tried
from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified, resolve
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.printing import trino_sql

CATALOG = Catalog(
    [
        Table(
            TableName("lake", "shop", "sales"),
            (
                Column("id", "bigint"),
                Column("day", "date"),
                Column("store", "integer"),
                Column("buyer", "bigint"),
                Column("payer", "bigint"),
                Column("quantity", "bigint"),
                Column("price", "decimal(10,2)"),
                Column("weight", "double"),
                Column("channel", "varchar"),
            ),
        ),
        Table(TableName("lake", "shop", "people"), (Column("id", "bigint"), Column("name", "varchar"))),
    ]
)
SALES, PEOPLE = "lake.shop.sales", "lake.shop.people"
EXAMPLES = (
    f"SELECT DISTINCT store FROM {SALES} WHERE channel IN ('web', 'app', 'shop') AND (quantity > 2 OR price <= 5.0) "
    "AND NOT channel LIKE 'a%' AND weight BETWEEN 1 AND 3 AND day >= DATE '2024-01-01' AND buyer IS NOT NULL "
    "AND quantity < 9 AND weight >= 0.5 AND payer IS NULL",
    f"SELECT date_trunc('month', day) AS m, COUNT(*) AS n, COUNT(price) AS p, COUNT(DISTINCT buyer) AS b, "
    "SUM(price * quantity) AS s, SUM(price) AS t, AVG(weight) AS a, MIN(day) AS lo, MAX(day) AS hi, "
    "STDDEV(weight) AS d, SUM(quantity) FILTER (WHERE channel = 'web') AS w, "
    "SUM(quantity) FILTER (WHERE channel = 'app') AS v, SUM(weight) / SUM(quantity) AS r "
    f"FROM {SALES} GROUP BY date_trunc('month', day) HAVING SUM(quantity) > 3",
    f"SELECT store, channel, SUM(CASE WHEN quantity = 1 THEN price WHEN quantity = 2 THEN price * 2 ELSE 0 END) AS s, "
    "SUM(CASE WHEN day > DATE '2024-02-01' THEN price END) AS late, COALESCE(SUM(price), 0) AS c, "
    "SUM(price) / NULLIF(SUM(quantity), 0) AS average, ROUND(AVG(weight), 2) AS w, SUM(quantity) / COUNT(*) AS whole "
    f"FROM {SALES} GROUP BY ROLLUP (store, channel)",
    f"SELECT b.name AS buyer, p.name AS payer, YEAR(s.day) AS y, s.quantity + 7 AS q FROM {SALES} AS s "
    f"LEFT JOIN {PEOPLE} AS b ON b.id = s.buyer AND b.name <> 'x' JOIN {PEOPLE} AS p ON p.id = s.payer "
    f"FULL JOIN {PEOPLE} AS f ON f.id IS NOT DISTINCT FROM s.store "
    f"WHERE EXISTS (SELECT 1 FROM {PEOPLE} AS e WHERE e.id = s.id) AND s.day < DATE '2024-03-01' + INTERVAL '3' DAY",
    f"SELECT store FROM {SALES} UNION ALL SELECT id FROM {PEOPLE}",
    f"SELECT store FROM {SALES} UNION SELECT id FROM {PEOPLE}",
    f"SELECT store FROM {SALES} EXCEPT SELECT id FROM {PEOPLE}",
    f"SELECT store, rank() OVER (PARTITION BY channel ORDER BY price) AS r, LAG(price) OVER (ORDER BY day) AS l, "
    "SUM(price) OVER (ORDER BY day ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS last, "
    f"SUM(price) OVER (PARTITION BY store ORDER BY day) AS total FROM {SALES} ORDER BY store, price DESC LIMIT 3",
    f"SELECT store, channel, SUM(quantity) AS q, MAX(price) AS p FROM {SALES} GROUP BY store, channel",
    f"SELECT SUM(price) AS p FROM {SALES}",
)


def wrong_texts(kind: str) -> list[str]:
    """What a kind makes of the examples, as far as Trino would take it."""
    found = []
    for text in EXAMPLES:
        tree = qualified(text, CATALOG)
        for site in sites(tree):
            for everywhere in (False, True) if site.kind == kind else ():
                try:
                    sql = trino_sql(resolve(mutated(tree, site, everywhere=everywhere), CATALOG))  # type: ignore[arg-type]
                except SqlProblem:
                    continue
                found += [sql] if sql != trino_sql(tree) else []
                break
    return found


class TestKinds:
    @pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
    def test_makes_another_query_the_same_each_time(self, kind: str) -> None:
        wrong = wrong_texts(kind)
        assert wrong
        assert wrong == wrong_texts(kind)

    def test_there_are_at_least_forty_with_names_of_their_own(self) -> None:
        assert len({kind.name for kind in KINDS}) == len(KINDS) >= 40

    def test_leaves_the_right_tree_untouched(self) -> None:
        tree = qualified(EXAMPLES[2], CATALOG)
        before = trino_sql(tree)
        for site in sites(tree):
            mutated(tree, site)
        assert trino_sql(tree) == before


class TestDrawing:
    def test_draws_of_every_kind_and_the_same_for_the_same_seed(self) -> None:
        made = [Mutant(0, "", Site(kind, place, 0)) for kind in ("a", "b", "c") for place in range(50)]
        made.append(Mutant(0, "", Site("rare", 0, 0)))
        chosen = drawn(made, 20, seed=1)
        assert chosen == drawn(made, 20, seed=1)
        assert len(chosen) == 20
        assert {mutant.site.kind for mutant in chosen} == {"a", "b", "c", "rare"}

    def test_takes_all_where_there_are_few(self) -> None:
        made = [Mutant(0, "", Site("a", place, 0)) for place in range(5)]
        assert drawn(made, 20, seed=1) == made


class TestRate:
    def test_counts_only_what_is_not_equivalent(self) -> None:
        tried = [
            Tried(Mutant(0, "", Site("a", place, 0)), how)
            for place, how in enumerate(("data set", "search", "static", "missed", "equivalent", "same"))
        ]
        assert rate(tried) == 0.75


class TestGuards:
    def test_finds_refusals_with_their_functions(self) -> None:
        found = guards()
        assert len(found) > 60
        assert all(guard.text.startswith("if ") and guard.function for guard in found)
        assert len({(guard.module, guard.line) for guard in found}) == len(found)
