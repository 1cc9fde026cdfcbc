"""Forty dashboard tiles over one events table, each a function that draws its literals; `dashboard_log.py` writes the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TYPES = ["page_view", "click", "purchase", "search", "add_to_cart", "checkout", "scroll", "login", "error", "refund"]
COUNTRIES = ["US", "DE", "GB", "FR", "IN", "BR", "JP", "CA", "ES", "IT", "NL", "PL", "SE", "AT", "CH", "BE", "DK", "NO"]
DEVICES = ["mobile", "desktop", "tablet", "tv"]
SYSTEMS = ["Android", "iOS", "Windows", "macOS", "Linux"]
BROWSERS = ["Chrome", "Safari", "Firefox", "Edge", "Samsung Internet", "Opera"]
SECTIONS = ["home", "product", "category", "cart", "help", "blog", "account", "search"]
LIMITS = [10, 20, 25, 50, 100]


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


# --- the fourth tool: measures with COALESCE, three parentheses around each date, LIMIT 500


def explore_months(draw: Any) -> str:
    return f"""SELECT
    (DATE_FORMAT(events.event_time , '%Y-%m')) AS "events.event_month",
    events.event_type  AS "events.event_type",
    COUNT(*) AS "events.count",
    COALESCE(SUM(events.amount ), 0) AS "events.total_amount"
FROM web.events  AS events
WHERE ((( events.event_time ) >= (TIMESTAMP '{draw.month(2, 3, 5)}') AND ( events.event_time ) < (TIMESTAMP '{draw.month(0)}')))
GROUP BY
    1,
    2
ORDER BY
    1 DESC
LIMIT {draw.one([500, 5000])}"""


def explore_conversion(draw: Any) -> str:
    return f"""SELECT
    events.device  AS "events.device",
    COUNT(DISTINCT CASE WHEN (events.event_type = 'page_view') THEN events.session_id  ELSE NULL END) AS "events.sessions_with_view",
    COUNT(DISTINCT CASE WHEN (events.event_type = 'add_to_cart') THEN events.session_id  ELSE NULL END) AS "events.sessions_with_cart",
    COUNT(DISTINCT CASE WHEN (events.event_type = 'purchase') THEN events.session_id  ELSE NULL END) AS "events.sessions_with_purchase"
FROM web.events  AS events
WHERE ((( events.event_date ) >= (DATE '{draw.back(7, 14, 28)}') AND ( events.event_date ) < (DATE '{draw.day()}'))) AND (events.is_bot = false)
GROUP BY
    1
ORDER BY
    2 DESC
LIMIT 500"""


def explore_pivot(draw: Any) -> str:
    return f"""SELECT
    events.country  AS "events.country",
    SUM(CASE WHEN events.os = 'Android' THEN 1 ELSE 0 END) AS android,
    SUM(CASE WHEN events.os = 'iOS' THEN 1 ELSE 0 END) AS ios,
    SUM(CASE WHEN events.os NOT IN ('Android', 'iOS') THEN 1 ELSE 0 END) AS other
FROM web.events  AS events
WHERE (1 = 1) AND ((( events.event_time ) >= (TIMESTAMP '{draw.back(7, 28)} 00:00:00') AND ( events.event_time ) < (TIMESTAMP '{draw.day()} 00:00:00')))
GROUP BY
    1
HAVING COUNT(*) >= {draw.one([100, 500, 1000])}
ORDER BY
    2 DESC
LIMIT {draw.one([500, 100])}"""


def explore_errors(draw: Any) -> str:
    return f"""SELECT
    events.browser  AS "events.browser",
    events.os  AS "events.os",
    COUNT(CASE WHEN (events.event_type = 'error') THEN 1 ELSE NULL END) AS "events.errors",
    COUNT(CASE WHEN (events.event_type = 'error') THEN 1 ELSE NULL END) * 100.0 / NULLIF(COUNT(*), 0) AS "events.error_rate"
FROM web.events  AS events
WHERE ((( events.event_time ) >= (TIMESTAMP '{draw.back(1, 7)} 00:00:00') AND ( events.event_time ) < (TIMESTAMP '{draw.day()} 00:00:00'))) AND (events.section ) IN ({draw.some(SECTIONS, 1, 4)})
GROUP BY
    1,
    2
ORDER BY
    3 DESC
LIMIT 500"""


def explore_percentile(draw: Any) -> str:
    return f"""SELECT
    events.section  AS "events.section",
    APPROX_PERCENTILE(events.duration_ms, 0.95) AS "events.p95"
FROM web.events  AS events
WHERE events.event_date >= DATE '{draw.back(7, 28)}'
GROUP BY 1 ORDER BY 2 DESC LIMIT 500"""


def explore_table_calculation(draw: Any) -> str:
    return f"""SELECT d AS "events.event_date", revenue AS "events.revenue",
    SUM(revenue) OVER (ORDER BY d ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS "seven_days"
FROM (
  SELECT events.event_date AS d, COALESCE(SUM(events.amount), 0) AS revenue
  FROM web.events AS events
  WHERE events.event_type IN ('purchase', 'refund') AND events.event_date >= DATE '{draw.back(30, 90)}'
  GROUP BY events.event_date
) t
ORDER BY d DESC LIMIT 500"""


# --- the fifth: hand-made dashboards, WHERE 1 = 1, wrapped for paging


def funnel(draw: Any) -> str:
    low, high = draw.back(7, 14, 30), draw.day()
    return f"""select step, users from (
select 1 as n, 'view' as step, count(distinct user_id) as users from web.events where 1=1 and event_type = 'page_view' and event_date >= date '{low}' and event_date < date '{high}'
union all
select 2, 'cart', count(distinct user_id) from web.events where 1=1 and event_type = 'add_to_cart' and event_date >= date '{low}' and event_date < date '{high}'
union all
select 3, 'checkout', count(distinct user_id) from web.events where 1=1 and event_type = 'checkout' and event_date >= date '{low}' and event_date < date '{high}'
union all
select 4, 'purchase', count(distinct user_id) from web.events where 1=1 and event_type = 'purchase' and event_date >= date '{low}' and event_date < date '{high}'
) f order by n"""


def experiment(draw: Any) -> str:
    return f"""select variant, count(distinct user_id) as users, count(distinct case when event_type = 'purchase' then user_id end) as buyers,
  sum(amount) as revenue, cast(count(distinct case when event_type = 'purchase' then user_id end) as double) / count(distinct user_id) as conversion
from web.events where 1=1 and variant is not null and event_date >= date '{draw.back(14, 28, 42)}' and event_date < date '{draw.day()}' group by variant order by variant"""


def wrapped_top_actions(draw: Any) -> str:
    return f"""select * from (select q.* from (
  select action, country, count(*) as c from web.events where 1 = 1 and country in ({draw.some(COUNTRIES, 2, 6)}) and event_time >= timestamp '{draw.back(14, 30)} 00:00:00' group by action, country
) q where q.c > {draw.one([20, 50, 100, 200])}) w order by c desc, action, country limit {draw.one(LIMITS)}"""


def session_length(draw: Any) -> str:
    return f"""select device, count(*) as sessions, avg(cast(n as double)) as events_per_session, avg(cast(ms as double)) as ms_per_session from (
  select session_id, device, count(*) as n, sum(duration_ms) as ms from web.events where 1=1 and event_date >= date '{draw.back(7, 14)}' and event_date < date '{draw.day()}' group by session_id, device
) s where n >= {draw.one([1, 2, 3])} group by device order by sessions desc"""


def weekly_active_vs_last(draw: Any) -> str:
    today, week, two = draw.day(), draw.back(7), draw.back(14)
    return f"""select count(distinct case when event_date >= date '{week}' then user_id end) as this_week,
  count(distinct case when event_date < date '{week}' then user_id end) as last_week
from web.events where 1=1 and event_date >= date '{two}' and event_date < date '{today}'"""


def retention(draw: Any) -> str:
    start = draw.month(1, 2)
    return f"""select c.cohort, e.week, count(distinct e.user_id) as users from (
  select user_id, date_trunc('week', min(event_date)) as cohort from web.events group by user_id having min(event_date) >= date '{start}'
) c join (select distinct user_id, date_trunc('week', event_date) as week from web.events where event_date >= date '{start}') e on e.user_id = c.user_id
group by c.cohort, e.week order by c.cohort, e.week"""


def search_terms(draw: Any) -> str:
    return f"""select json_extract_scalar(properties, '$.q') as term, count(*) as searches from web.events
where 1=1 and event_type = 'search' and event_date >= date '{draw.back(7, 28)}' group by json_extract_scalar(properties, '$.q') order by searches desc, term limit {draw.one(LIMITS)}"""


def slow_pages(draw: Any) -> str:
    return f"""select page_url, count(*) as n, max(duration_ms) as worst, avg(duration_ms) as mean from web.events
where 1=1 and duration_ms > {draw.one([5000, 8000, 10000, 15000])} and event_date >= date '{draw.back(7, 28)}' group by page_url having count(*) > {draw.one([3, 5, 10])} order by mean desc, page_url limit {draw.one(LIMITS)}"""


def kpi_row(draw: Any) -> str:
    return f"""select count(*) as events, count(distinct session_id) as sessions, count(distinct user_id) as users, sum(case when event_type = 'purchase' then amount else 0 end) as revenue,
  sum(items) as items, count(distinct country) as countries, min(event_time) as first_event, max(event_time) as last_event
from web.events where 1=1 and event_date = date '{draw.back(1, 2, 3)}'"""


def campaign_roi(draw: Any) -> str:
    return f"""select coalesce(campaign, '(none)') as campaign, referrer, count(distinct session_id) as sessions, sum(amount) as revenue from web.events
where 1=1 and event_time >= timestamp '{draw.month(0, 1)} 00:00:00' and (campaign is not null or referrer in ({draw.some(["google", "direct", "facebook", "bing", "tiktok"], 1, 3)})) group by coalesce(campaign, '(none)'), referrer order by sessions desc, 1, 2 limit 50"""


def minute_monitor(draw: Any) -> str:
    return f"""select date_trunc('minute', event_time) as m, count(*) as events, count_if(event_type = 'error') as errors from web.events
where 1=1 and event_time >= timestamp '{draw.back(1)} {draw.one(["00", "06", "12", "18"])}:00:00' and event_time < timestamp '{draw.day()} 00:00:00' group by date_trunc('minute', event_time) order by m desc limit 500"""


def text_hunt(draw: Any) -> str:
    return f"""select event_time, user_id, action, page_url from web.events where 1=1 and page_url like '%/{draw.one([3, 17, 42, 99])}' and event_date = date '{draw.back(1, 2, 5)}' order by event_time desc, event_id limit 100"""


def rollup_report(draw: Any) -> str:
    return f"""select section, event_type, count(*) as n, sum(amount) as amount from web.events where 1=1 and event_date between date '{draw.month(1)}' and date '{draw.day()}'
group by rollup(section, event_type) order by section nulls first, event_type nulls first"""


def plan_mix(draw: Any) -> str:
    return f"""select coalesce(plan, 'none') as plan, device, sum(items) as items, sum(amount) as amount, count(*) as n
from (select * from (select * from web.events where event_type in ('add_to_cart', 'purchase')) a where a.country not in ('CN', 'RU')) b
where 1=1 and b.event_date >= date '{draw.month(1, 2, 3)}' and b.event_date < date '{draw.month(0)}' group by coalesce(plan, 'none'), device order by 1, 2"""


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
    (explore_months, 50, 6),
    (explore_conversion, 60, 7),
    (explore_pivot, 60, 5),
    (explore_errors, 70, 5),
    (explore_percentile, 20, 3),
    (explore_table_calculation, 40, 5),
    (funnel, 60, 6),
    (experiment, 50, 5),
    (wrapped_top_actions, 60, 3),
    (session_length, 40, 4),
    (weekly_active_vs_last, 30, 8),
    (retention, 6, 2),
    (search_terms, 30, 2),
    (slow_pages, 40, 2),
    (kpi_row, 30, 12),
    (campaign_roi, 50, 4),
    (minute_monitor, 40, 4),
    (text_hunt, 20, 1),
    (rollup_report, 30, 3),
    (plan_mix, 40, 4),
]
