"""Tiles of the fourth and fifth tool: explores, and hand-made SQL that is wrapped for paging."""

from __future__ import annotations

from typing import Any

from dashboard_words import COUNTRIES, LIMITS, SECTIONS

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
