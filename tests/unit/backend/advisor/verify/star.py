"""A small star schema and queries over it that use most of what rewrites can get wrong."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName


def _table(name: str, columns: str) -> Table:
    pairs = [column.strip().rsplit("!", 1) for column in columns.split(";")]
    return Table(
        TableName("lake", "shop", name),
        tuple(Column(*pair[0].split(" ", 1), nullable=len(pair) == 1) for pair in pairs),  # type: ignore[misc]
    )


TABLES: tuple[Table, ...] = (
    _table(
        "sales",
        "sale_id bigint!; day date; sold_at timestamp(6); customer_id bigint; product_id bigint; store_id integer; "
        "quantity integer; price decimal(12,2); discount double; status varchar; returned boolean",
    ),
    _table("customers", "customer_id bigint; name varchar; segment varchar; country varchar(2); born date"),
    _table("products", "product_id bigint; category varchar; brand varchar; list_price decimal(12,2)"),
    _table("stores", "store_id integer; city varchar; region varchar"),
)

QUERIES: dict[str, str] = {
    "revenue_by_category_and_month": """
        SELECT p.category, month(s.day) AS m, SUM(s.quantity * s.price) AS revenue, COUNT(*) AS n,
               COUNT(s.discount) AS d
        FROM lake.shop.sales s JOIN lake.shop.products p ON s.product_id = p.product_id
        WHERE s.day >= DATE '2023-01-01' AND s.day < DATE '2024-01-01' AND s.status <> 'cancelled'
        GROUP BY p.category, month(s.day)""",
    "left_join_with_default": """
        SELECT COALESCE(c.segment, 'unknown') AS segment, COUNT(*) AS n, COUNT(c.customer_id) AS known,
               SUM(s.price) AS total
        FROM lake.shop.sales s LEFT JOIN lake.shop.customers c ON s.customer_id = c.customer_id
        WHERE s.quantity > 0 GROUP BY COALESCE(c.segment, 'unknown')""",
    "distinct_customers_of_large_stores": """
        SELECT t.region, COUNT(DISTINCT s.customer_id) AS customers, AVG(s.price) AS average
        FROM lake.shop.sales s JOIN lake.shop.stores t ON s.store_id = t.store_id
        WHERE NOT s.returned GROUP BY t.region HAVING COUNT(*) >= 5""",
    "best_products_by_region": """
        WITH totals AS (
            SELECT t.region, s.product_id, SUM(s.quantity) AS sold, COUNT(*) AS n
            FROM lake.shop.sales s JOIN lake.shop.stores t ON s.store_id = t.store_id GROUP BY t.region, s.product_id),
        ranked AS (
            SELECT region, product_id, sold, RANK() OVER (PARTITION BY region ORDER BY sold DESC) AS place FROM totals)
        SELECT region, product_id, sold, place FROM ranked WHERE place <= 3""",
    "share_of_returns": """
        SELECT status, SUM(CASE WHEN returned THEN 1 ELSE 0 END) AS back, COUNT(*) AS n,
               ROUND(SUM(CASE WHEN returned THEN 1 ELSE 0 END) * 100.0 / COUNT(*), 2) AS share,
               SUM(CASE WHEN quantity BETWEEN 2 AND 5 THEN price END) AS middle
        FROM lake.shop.sales WHERE status IN ('paid', 'shipped', 'open') AND price IS NOT NULL GROUP BY status""",
    "brands_like": """
        SELECT p.brand, MIN(s.price) AS low, MAX(s.price) AS high, COUNT(s.quantity) AS q
        FROM lake.shop.sales s JOIN lake.shop.products p ON s.product_id = p.product_id AND p.list_price >= s.price
        WHERE p.brand LIKE 'Nor%' AND s.status NOT IN ('open', 'lost') GROUP BY p.brand""",
    "returned_or_not_known": """
        SELECT store_id, COUNT(*) AS n, SUM(quantity) AS q FROM lake.shop.sales
        WHERE (returned = false OR returned IS NULL) AND day BETWEEN DATE '2023-03-01' AND DATE '2023-03-31'
        GROUP BY store_id HAVING SUM(quantity) > 10""",
    "customers_who_bought_toys": """
        SELECT c.country, COUNT(*) AS n FROM lake.shop.customers c
        WHERE c.customer_id IN (SELECT s.customer_id FROM lake.shop.sales s
            JOIN lake.shop.products p ON s.product_id = p.product_id WHERE p.category = 'toys')
        GROUP BY c.country""",
    "customers_who_never_bought": """
        SELECT c.segment, COUNT(*) AS n FROM lake.shop.customers c
        WHERE NOT EXISTS (SELECT 1 FROM lake.shop.sales s WHERE s.customer_id = c.customer_id AND s.quantity >= 2)
        GROUP BY c.segment""",
    "both_ends": """
        SELECT 'first' AS which, status, COUNT(*) AS n FROM lake.shop.sales WHERE quantity <= 1 GROUP BY status
        UNION ALL
        SELECT 'last' AS which, status, COUNT(*) AS n FROM lake.shop.sales WHERE quantity >= 10 GROUP BY status""",
    "one_number": """
        SELECT COUNT(*) AS n, SUM(price) AS total, MAX(day) AS latest, COUNT(DISTINCT status) AS kinds
        FROM lake.shop.sales WHERE store_id = 7 AND discount > 0.5""",
    "spread": """
        SELECT store_id, STDDEV(discount) AS spread, AVG(discount) AS average, AVG(quantity) AS q,
               CORR(quantity, discount) AS c
        FROM lake.shop.sales WHERE discount IS NOT NULL GROUP BY store_id""",
    "quarters": """
        SELECT year(s.day) AS y, quarter(s.day) AS q,
            CASE WHEN s.price < 10 THEN 'low' WHEN s.price < 100 THEN 'mid' ELSE 'high' END AS band,
            COUNT(*) AS n, SUM(s.quantity) AS sold
        FROM lake.shop.sales s WHERE year(s.day) = 2023 OR (year(s.day) = 2022 AND month(s.day) >= 10)
        GROUP BY 1, 2, 3""",
    "distinct_pairs": """
        SELECT DISTINCT s.store_id, s.status FROM lake.shop.sales s WHERE s.quantity > 3""",
    "cheapest_open": """
        SELECT s.sale_id, s.price FROM lake.shop.sales s JOIN lake.shop.stores t ON s.store_id = t.store_id
        WHERE t.city = 'Oslo' AND s.status = 'open' ORDER BY s.price, s.sale_id LIMIT 10""",
    "busy_stores": """
        SELECT t.city, COUNT(*) AS n, SUM(s.price) FILTER (WHERE s.returned) AS back
        FROM lake.shop.sales s JOIN lake.shop.stores t ON s.store_id = t.store_id
        GROUP BY t.city HAVING COUNT(*) > 150 ORDER BY n DESC""",
    "per_sale_of_segment": """
        SELECT c.segment, SUM(s.price) / NULLIF(COUNT(DISTINCT s.customer_id), 0) AS per_customer
        FROM lake.shop.customers c LEFT JOIN lake.shop.sales s ON s.customer_id = c.customer_id AND s.quantity > 1
        WHERE c.born < DATE '2000-01-01' GROUP BY c.segment""",
    "above_average_price": """
        SELECT s.store_id, COUNT(*) AS n FROM lake.shop.sales s
        WHERE s.price > (SELECT AVG(x.price) FROM lake.shop.sales x WHERE x.status = 'paid') GROUP BY s.store_id""",
}
