"""Forty dashboard tiles over one events table, each a function that draws its literals, and how often each is asked for.

`dashboard_log.py` writes the log. Here stand the first three tools; the others in `dashboard_reports.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dashboard_reports as reports
from dashboard_words import COUNTRIES, LIMITS, SECTIONS, TYPES

# --- the first tool: time columns named __timestamp, series limits joined in, virtual datasets, LIMIT 10000 and more


def events_per_day(draw: Any) -> str:
    return f"""SELECT DATE_TRUNC('day', CAST(event_time AS TIMESTAMP)) AS __timestamp, COUNT(*) AS "count"
FROM web.events
WHERE event_time >= TIMESTAMP '{draw.back(7, 14, 28, 90)} 00:00:00.000000' AND event_time < TIMESTAMP '{draw.day()} 00:00:00.000000'
GROUP BY DATE_TRUNC('day', CAST(event_time AS TIMESTAMP))
ORDER BY "count" DESC
LIMIT 10000"""


def users_per_day(draw: Any) -> str:
    return f"""SELECT DATE_TRUNC('day', event_time) AS __timestamp, COUNT(DISTINCT user_id) AS "COUNT_DISTINCT(user_id)"
FROM web.events
WHERE event_time >= TIMESTAMP '{draw.back(7, 28, 90)} 00:00:00.000000' AND event_time < TIMESTAMP '{draw.day()} 00:00:00.000000'
AND event_type IN ({draw.some(TYPES, 2, 4)})
GROUP BY DATE_TRUNC('day', event_time)
ORDER BY "COUNT_DISTINCT(user_id)" DESC
LIMIT 10000"""


def series_by_country(draw: Any) -> str:
    low, high, top = draw.back(14, 28, 60), draw.day(), draw.one([10, 5, 25])
    return f"""SELECT DATE_TRUNC('week', event_time) AS __timestamp, country AS country, COUNT(*) AS "count"
FROM web.events
JOIN (
  SELECT country AS country__, COUNT(*) AS mme_inner__
  FROM web.events
  WHERE event_time >= TIMESTAMP '{low} 00:00:00.000000' AND event_time < TIMESTAMP '{high} 00:00:00.000000'
  GROUP BY country
  ORDER BY mme_inner__ DESC
  LIMIT {top}
) AS series_limit ON country = country__
WHERE event_time >= TIMESTAMP '{low} 00:00:00.000000' AND event_time < TIMESTAMP '{high} 00:00:00.000000'
GROUP BY DATE_TRUNC('week', event_time), country
ORDER BY "count" DESC
LIMIT 50000"""


def humans_by_section(draw: Any) -> str:
    return f"""SELECT section AS section, device AS device, COUNT(*) AS events, COUNT(DISTINCT session_id) AS sessions
FROM (
  SELECT * FROM web.events WHERE is_bot = false
) AS virtual_table
WHERE event_time >= TIMESTAMP '{draw.month(0, 1, 2, 3)} 00:00:00.000000' AND event_time < TIMESTAMP '{draw.day()} 00:00:00.000000'
GROUP BY section, device
ORDER BY events DESC
LIMIT 1000"""


def big_number_revenue(draw: Any) -> str:
    return f"""SELECT SUM(amount) AS "SUM(amount)"
FROM web.events
WHERE event_time >= TIMESTAMP '{draw.back(1, 7, 30)} 00:00:00.000000' AND event_time < TIMESTAMP '{draw.day()} 00:00:00.000000' AND ((event_type = 'purchase'))
LIMIT 50000"""


def big_number_users(draw: Any) -> str:
    return f"""SELECT COUNT(DISTINCT user_id) AS "COUNT_DISTINCT(user_id)"
FROM web.events
WHERE event_time >= TIMESTAMP '{draw.back(1, 7, 30)} 00:00:00.000000' AND event_time < TIMESTAMP '{draw.day()} 00:00:00.000000' AND is_bot = false
LIMIT 50000"""


def filter_values(draw: Any) -> str:
    column = draw.one(["country", "browser", "referrer", "campaign", "os", "city"])
    return f"""SELECT {column} AS {column}
FROM web.events
WHERE event_time >= TIMESTAMP '{draw.back(30, 60)} 00:00:00.000000'
GROUP BY {column}
LIMIT {draw.one([1000, 5000, 10000])}"""


def top_pages(draw: Any) -> str:
    return f"""SELECT page_url AS page_url, COUNT(*) AS views, COUNT(DISTINCT user_id) AS visitors, AVG(duration_ms) AS "AVG(duration_ms)"
FROM web.events
WHERE event_date >= DATE '{draw.back(7, 28)}' AND event_date < DATE '{draw.day()}' AND event_type IN ('page_view')
AND country IN ({draw.some(COUNTRIES, 1, 5)})
GROUP BY page_url
ORDER BY views DESC
LIMIT {draw.one(LIMITS)}"""


# --- the second tool: everything quoted, "source" around "source"


def source_count_by(draw: Any) -> str:
    column = draw.one(["device", "os", "browser", "referrer", "plan"])
    return f"""SELECT "source"."{column}" AS "{column}", count(*) AS "count", sum("source"."amount") AS "sum"
FROM (SELECT "web"."events"."event_time" AS "event_time", "web"."events"."{column}" AS "{column}", "web"."events"."amount" AS "amount", "web"."events"."event_type" AS "event_type", "web"."events"."country" AS "country" FROM "web"."events") "source"
WHERE ("source"."event_time" >= timestamp '{draw.back(30, 60, 90)} 00:00:00.000' AND "source"."event_time" < timestamp '{draw.day()} 00:00:00.000' AND ("source"."country" = '{draw.one(COUNTRIES)}' OR "source"."country" = '{draw.one(COUNTRIES[6:])}'))
GROUP BY "source"."{column}"
ORDER BY "source"."{column}" ASC"""


def monthly_revenue(draw: Any) -> str:
    return f"""SELECT "source"."event_time" AS "event_time", "source"."sum" AS "sum", "source"."count" AS "count"
FROM (SELECT date_trunc('month', "web"."events"."event_time") AS "event_time", sum("web"."events"."amount") AS "sum", count("web"."events"."amount") AS "count" FROM "web"."events" WHERE ("web"."events"."event_type" = 'purchase' AND "web"."events"."event_time" >= timestamp '{draw.month(5, 6, 11)} 00:00:00.000') GROUP BY date_trunc('month', "web"."events"."event_time")) "source"
WHERE "source"."sum" > {draw.one([0, 1000, 5000])}
ORDER BY "source"."event_time" ASC
LIMIT 1048575"""


def question_new_users(draw: Any) -> str:
    return f"""SELECT date_trunc('week', "source"."first_seen") AS "first_seen", count(*) AS "count"
FROM (SELECT "web"."events"."user_id" AS "user_id", min("web"."events"."event_time") AS "first_seen" FROM "web"."events" GROUP BY "web"."events"."user_id") "source"
WHERE "source"."first_seen" >= timestamp '{draw.month(1, 2, 3)} 00:00:00.000'
GROUP BY date_trunc('week', "source"."first_seen")
ORDER BY date_trunc('week', "source"."first_seen") ASC"""


def question_distinct_by_plan(draw: Any) -> str:
    return f"""SELECT "web"."events"."plan" AS "plan", "web"."events"."event_type" AS "event_type", count(distinct "web"."events"."user_id") AS "count"
FROM "web"."events"
WHERE ("web"."events"."event_date" BETWEEN date '{draw.back(30, 60)}' AND date '{draw.day()}' AND "web"."events"."is_bot" = FALSE)
GROUP BY "web"."events"."plan", "web"."events"."event_type"
ORDER BY "web"."events"."plan" ASC, "web"."events"."event_type" ASC"""


def question_hours(draw: Any) -> str:
    return f"""SELECT hour("web"."events"."event_time") AS "event_time", count(*) AS "count", avg("web"."events"."duration_ms") AS "avg"
FROM "web"."events"
WHERE ("web"."events"."event_time" >= timestamp '{draw.back(7, 14, 30)} 00:00:00.000' AND "web"."events"."event_time" < timestamp '{draw.day()} 00:00:00.000' AND "web"."events"."section" = '{draw.one(SECTIONS)}')
GROUP BY hour("web"."events"."event_time")
ORDER BY 1 ASC"""


def question_rows(draw: Any) -> str:
    return f"""SELECT "web"."events"."event_id" AS "event_id", "web"."events"."event_time" AS "event_time", "web"."events"."user_id" AS "user_id", "web"."events"."action" AS "action", "web"."events"."page_url" AS "page_url", "web"."events"."amount" AS "amount"
FROM "web"."events"
WHERE "web"."events"."user_id" = {draw.one(list(range(17, 4000, 13)))}
ORDER BY "web"."events"."event_time" DESC
LIMIT {draw.one([50, 100, 200])}"""


# --- the third tool: table alias as long as the name, "sum:…:ok", HAVING (COUNT(1) > 0), GROUP BY 1


def sheet_revenue_by_country(draw: Any) -> str:
    return f"""SELECT "events"."country" AS "country",
  SUM("events"."amount") AS "sum:amount:ok",
  COUNT(DISTINCT "events"."user_id") AS "ctd:user_id:ok"
FROM "dashboards"."web"."events" "events"
WHERE (("events"."event_type" IN ('purchase', 'refund')) AND ("events"."event_date" >= DATE '{draw.month(1, 2, 3, 6)}') AND ("events"."event_date" <= DATE '{draw.day()}'))
GROUP BY 1
HAVING (COUNT(1) > 0)"""


def sheet_monthly_by_device(draw: Any) -> str:
    return f"""SELECT "events"."device" AS "device",
  DATE_TRUNC('MONTH', CAST("events"."event_date" AS DATE)) AS "tmn:event_date:ok",
  SUM(1) AS "sum:Number of Records:ok",
  SUM(CASE WHEN ("events"."event_type" = 'purchase') THEN 1 ELSE 0 END) AS "sum:purchases:ok"
FROM "dashboards"."web"."events" "events"
WHERE ((YEAR("events"."event_date") = 2025) AND ("events"."country" IN ({draw.some(COUNTRIES, 2, 6)})))
GROUP BY 1, 2
HAVING (SUM(1) > {draw.one([0, 10, 50])})"""


def sheet_heatmap(draw: Any) -> str:
    return f"""SELECT DAY_OF_WEEK("events"."event_time") AS "wd:event_time:ok",
  HOUR("events"."event_time") AS "hr:event_time:ok",
  COUNT("events"."event_id") AS "cnt:event_id:ok"
FROM "dashboards"."web"."events" "events"
WHERE (("events"."event_time" >= TIMESTAMP '{draw.back(28, 56)} 00:00:00.000') AND ("events"."event_time" < TIMESTAMP '{draw.day()} 00:00:00.000') AND (NOT "events"."is_bot"))
GROUP BY 1, 2"""


def sheet_top_n_cities(draw: Any) -> str:
    low = draw.month(1, 2, 3)
    return f"""SELECT "events"."city" AS "city",
  SUM("events"."amount") AS "sum:amount:ok"
FROM "dashboards"."web"."events" "events"
  INNER JOIN (
  SELECT "events"."city" AS "city",
    SUM("events"."amount") AS "$__alias__0"
  FROM "dashboards"."web"."events" "events"
  WHERE ("events"."event_date" >= DATE '{low}')
  GROUP BY 1
  ORDER BY 2 DESC, 1 ASC
  LIMIT {draw.one(LIMITS)}
) "t0" ON ("events"."city" = "t0"."city")
WHERE ("events"."event_date" >= DATE '{low}')
GROUP BY 1"""


def sheet_orders_by_size(draw: Any) -> str:
    return f"""SELECT (CASE WHEN ("events"."amount" < 10) THEN 'small' WHEN ("events"."amount" < {draw.one([100, 50, 200])}) THEN 'medium' ELSE 'large' END) AS "size",
  COUNT("events"."amount") AS "cnt:amount:ok", AVG("events"."amount") AS "avg:amount:ok"
FROM "dashboards"."web"."events" "events"
WHERE (("events"."event_type" = 'purchase') AND ("events"."event_date" >= DATE '{draw.back(30, 60, 90)}') AND ("events"."event_date" <= DATE '{draw.day()}'))
GROUP BY 1"""


def sheet_domain(draw: Any) -> str:
    column = draw.one(["event_type", "browser", "section", "plan", "variant"])
    return f"""SELECT "events"."{column}" AS "{column}"
FROM "dashboards"."web"."events" "events"
GROUP BY 1
ORDER BY 1 ASC NULLS FIRST"""


TILES: list[tuple[Callable[[Any], str], int, int]] = [
    # tile, share of the texts, usual number of runs of one text
    (events_per_day, 80, 12),
    (users_per_day, 90, 9),
    (series_by_country, 50, 5),
    (humans_by_section, 70, 7),
    (big_number_revenue, 60, 16),
    (big_number_users, 60, 14),
    (filter_values, 60, 6),
    (top_pages, 80, 5),
    (source_count_by, 90, 6),
    (monthly_revenue, 30, 8),
    (question_new_users, 10, 3),
    (question_distinct_by_plan, 50, 5),
    (question_hours, 60, 4),
    (question_rows, 40, 2),
    (sheet_revenue_by_country, 70, 7),
    (sheet_monthly_by_device, 80, 6),
    (sheet_heatmap, 40, 5),
    (sheet_top_n_cities, 30, 3),
    (sheet_orders_by_size, 50, 4),
    (sheet_domain, 10, 20),
    (reports.explore_months, 50, 6),
    (reports.explore_conversion, 60, 7),
    (reports.explore_pivot, 60, 5),
    (reports.explore_errors, 70, 5),
    (reports.explore_percentile, 20, 3),
    (reports.explore_table_calculation, 40, 5),
    (reports.funnel, 60, 6),
    (reports.experiment, 50, 5),
    (reports.wrapped_top_actions, 60, 3),
    (reports.session_length, 40, 4),
    (reports.weekly_active_vs_last, 30, 8),
    (reports.retention, 6, 2),
    (reports.search_terms, 30, 2),
    (reports.slow_pages, 40, 2),
    (reports.kpi_row, 30, 12),
    (reports.campaign_roi, 50, 4),
    (reports.minute_monitor, 40, 4),
    (reports.text_hunt, 20, 1),
    (reports.rollup_report, 30, 3),
    (reports.plan_mix, 40, 4),
]
