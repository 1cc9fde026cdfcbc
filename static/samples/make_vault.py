"""Makes an insurer's data vault as Parquet folders, `<folder>/raw_vault/<table>/*.parquet`: 28 tables.

Hubs (business keys), links (who belongs to whom) and satellites (what was known from when to when), as loading tools write
them: hash keys of 32 characters, load dates, record sources; some satellites close their rows with `load_end_dts`, some mark
the newest by a flag, some only have a load date. Deterministic and skewed, with NULLs, late rows and hubs without satellites.

    python static/samples/make_vault.py <folder> [--rows 3000000]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sample_tables import TableWriter, command_line, pick, some, unit

PAYMENTS = 3_000_000
HALF, THIRD = "(i // 2)", "(i // 3)"
OPEN_END = "TIMESTAMP '9999-12-31 00:00:00'"
FIRST = "TIMESTAMP '2022-01-01 00:00:00'"
SECONDS = 4 * 365 * 86_400


def _whole(seed: int, below: int | str, number: str = "i", power: float = 1.0) -> str:
    return f"CAST(floor({below} * pow({unit(seed, number)}, {power})) AS BIGINT)"


def _key(kind: str, number: str = "i") -> str:
    """A hash key: the business key's MD5, as loading tools make it."""
    return f"md5('{kind}-' || CAST({number} AS VARCHAR))"


def _time(seed: int, number: str = "i", low: float = 0.0, high: float = 1.0) -> str:
    return f"{FIRST} + to_seconds(CAST({SECONDS} * ({low} + {high - low} * {unit(seed, number)}) AS BIGINT))"


def _money(seed: int, least: int, span: int, power: float, number: str = "i") -> str:
    return f"CAST({least} + {span} * pow({unit(seed, number)}, {power}) AS DECIMAL(12,2))"


SOURCES = ["CORE", "WEB", "BROKER", "LEGACY"]
COUNTRIES = ["AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FR", "IT", "LU", "NL", "NO", "PL", "PT", "SE", "SK"]
LINES = ["Motor", "Household", "Liability", "Travel", "Legal", "Life", "Health", "Pet"]
MAKES = ["Alta", "Borea", "Corvo", "Delmar", "Eskild", "Fargo", "Gavia", "Hexa", "Ivory", "Jolan", "Kestrel", "Lumen"]
CAUSES = ["collision", "theft", "water", "fire", "storm", "glass", "injury", "other"]
WORDS = [
    "hail on the roof",
    "rear end hit at a light",
    "burst pipe in the kitchen",
    "bike stolen",
    "tree fell",
    "slipped on ice",
]


def _source(seed: int, number: str = "i") -> str:
    return f"{pick(seed, SOURCES, number, 1.6)} AS record_source"


def _hub(kind: str, seed: int, prefix: str) -> str:
    return (
        f"{_key(kind)} AS hk_{kind}, '{prefix}' || lpad(CAST(i AS VARCHAR), 8, '0') AS {kind}_no, "
        f"{_time(seed)} AS load_dts, {_source(seed + 1)}"
    )


def _link(name: str, seed: int, ends: dict[str, str]) -> str:
    together = " || ".join(_key(kind, number) for kind, number in ends.items())
    keys = ", ".join(f"{_key(kind, number)} AS hk_{kind}" for kind, number in ends.items())
    return f"md5({together}) AS hk_{name}, {keys}, {_time(seed)} AS load_dts, {_source(seed + 1)}"


def _versions(kind: str, number: str, of: str, start: str) -> str:
    """Columns of version `v` of `of`: from when to when it held; the last one is open."""
    at = f"{start} + to_days(CAST(v * 97 + 40 * {unit(7, number)} AS INTEGER))"
    after = f"{start} + to_days(CAST((v + 1) * 97 + 40 * {unit(7, number)} AS INTEGER))"
    return (
        f"{_key(kind, number)} AS hk_{kind}, {at} AS load_dts, "
        f"CASE WHEN v + 1 = {of} THEN {OPEN_END} ELSE {after} END AS load_end_dts, "
        f"md5(CAST({number} * 31 + v AS VARCHAR)) AS hash_diff"
    )


def tables(payments: int) -> dict[str, tuple[int, str]]:
    """(rows, columns over `i`) by table; each size is a share of the payments."""
    policies, claims, customers = payments // 8, payments // 6, payments // 12
    agents, vehicles, products, branches = max(50, payments // 1500), payments // 15, 64, 120
    of_policy = _whole(101, policies, power=1.3)
    born = f"DATE '1940-01-01' + CAST({_whole(54, 23000, HALF)} AS INTEGER)"
    mail, phone = "'c' || CAST(i AS VARCHAR) || '@example.org'", "'+43 ' || CAST(i * 7919 % 9999999 AS VARCHAR)"
    city = f"'City ' || CAST({_whole(61, 900, power=1.6)} AS VARCHAR)"
    handler = f"'H' || lpad(CAST({_whole(94, 300, power=1.5)} AS VARCHAR), 4, '0')"
    reason = pick(74, ["price", "moved", "sold", "died", "unknown"])
    problem = pick(147, ["returned", "disputed", "partial"])
    due = f"CAST({_time(141)} AS DATE)"
    return {
        "h_customer": (customers, _hub("customer", 1, "C")),
        "h_policy": (policies, _hub("policy", 3, "P")),
        "h_claim": (claims, _hub("claim", 5, "K")),
        "h_agent": (agents, _hub("agent", 7, "A")),
        "h_product": (products, _hub("product", 9, "T")),
        "h_vehicle": (vehicles, _hub("vehicle", 11, "V")),
        "h_branch": (branches, _hub("branch", 13, "B")),
        "h_payment": (payments, _hub("payment", 15, "Z")),
        "l_policy_customer": (
            policies,
            _link("policy_customer", 21, {"policy": "i", "customer": _whole(22, customers, power=1.5)}),
        ),
        "l_policy_product": (
            policies,
            _link("policy_product", 24, {"policy": "i", "product": _whole(25, products, power=1.8)}),
        ),
        "l_policy_agent": (
            policies,
            _link("policy_agent", 27, {"policy": "i", "agent": _whole(28, agents, power=2.0)}),
        ),
        "l_policy_vehicle": (
            vehicles,
            _link("policy_vehicle", 30, {"policy": f"(i * {max(1, policies // max(1, vehicles))})", "vehicle": "i"}),
        ),
        "l_claim_policy": (
            claims,
            _link("claim_policy", 33, {"claim": "i", "policy": _whole(34, policies, power=1.6)}),
        ),
        "l_payment_policy": (payments, _link("payment_policy", 36, {"payment": "i", "policy": of_policy})),
        "l_agent_branch": (
            agents,
            _link("agent_branch", 39, {"agent": "i", "branch": _whole(40, branches, power=1.2)}),
        ),
        "l_claim_payment": (
            claims // 2,
            _link("claim_payment", 42, {"claim": "(i * 2)", "payment": _whole(43, payments)}),
        ),
        "s_customer_details": (
            customers * 2,
            f"{_versions('customer', HALF, '2', FIRST)}, v_name AS full_name, {pick(51, COUNTRIES, HALF, 1.4)} AS country_code, "
            f"{pick(52, ['Private', 'Family', 'Business', 'Public'], HALF, 1.5)} AS segment, "
            f"{some(53, 0.9, born, HALF)} AS birth_date, {_source(55)}",
        ),
        "s_customer_contact": (
            customers,
            f"{_key('customer')} AS hk_customer, {_time(56)} AS load_dts, {unit(57)} < 0.8 AS is_current, "
            f"{some(58, 0.7, mail)} AS email, {some(59, 0.6, phone)} AS phone, "
            f"{some(60, 0.95, city)} AS city, {_source(62)}",
        ),
        "s_policy_terms": (
            policies * 2,
            f"{_versions('policy', HALF, '2', FIRST)}, {_money(65, 60, 2400, 2.2)} AS yearly_premium, "
            f"CAST(([0, 100, 250, 500, 1000])[1 + {_whole(66, 5, power=1.5)}] AS INTEGER) AS deductible, "
            f"{pick(67, ['monthly', 'quarterly', 'yearly'], HALF)} AS billing, CAST({_time(68, HALF)} AS DATE) AS starts_on, {_source(69)}",
        ),
        "s_policy_status": (
            policies * 3,
            f"{_key('policy', THIRD)} AS hk_policy, {FIRST} + to_days(CAST((i % 3) * 240 + 500 * {unit(71, THIRD)} AS INTEGER)) AS load_dts, "
            f"{pick(72, ['active', 'suspended', 'lapsed', 'cancelled'], power=1.9)} AS status, {some(73, 0.3, reason)} AS reason, {_source(75)}",
        ),
        "s_claim_details": (
            claims - claims // 40,
            f"{_key('claim')} AS hk_claim, {_time(81)} AS load_dts, CAST({_time(81)} AS DATE) AS reported_on, "
            f"CAST({_time(81)} AS DATE) - CAST({_whole(82, 40, power=3.0)} AS INTEGER) AS happened_on, {pick(83, CAUSES, power=1.4)} AS cause, "
            f"{_money(84, 80, 60000, 5.0)} AS claimed_amount, {some(85, 0.8, _money(86, 0, 40000, 5.0))} AS paid_amount, "
            f"{pick(87, WORDS)} || ', file ' || CAST(i % 5000 AS VARCHAR) AS description, {_source(88)}",
        ),
        "s_claim_status": (
            claims * 3,
            f"{_key('claim', THIRD)} AS hk_claim, {_time(81, THIRD)} + to_days(CAST((i % 3) * 12 + 30 * {unit(91)} AS INTEGER)) AS load_dts, "
            f"(['opened', 'in review', 'settled', 'rejected', 'reopened'])[CASE WHEN i % 3 = 0 THEN 1 ELSE 1 + i % 3 + {_whole(92, 2, power=2.0)} END] AS status, "
            f"{some(93, 0.85, handler)} AS handler, {_source(95)}",
        ),
        "s_agent_details": (
            agents,
            f"{_key('agent')} AS hk_agent, {_time(101)} AS load_dts, 'Agent ' || CAST(i AS VARCHAR) AS agent_name, "
            f"CAST({_time(102)} AS DATE) AS hired_on, CAST(2 + 10 * {unit(103)} AS DECIMAL(5,2)) AS commission_percent, {unit(104)} < 0.9 AS is_active, {_source(105)}",
        ),
        "s_product_details": (
            products,
            f"{_key('product')} AS hk_product, {_time(111)} AS load_dts, 'Plan ' || CAST(i AS VARCHAR) AS product_name, "
            f"{pick(112, LINES, '(i % 16)')} AS line, {unit(113)} < 0.7 AS on_sale, {_source(114)}",
        ),
        "s_vehicle_details": (
            vehicles,
            f"{_key('vehicle')} AS hk_vehicle, {_time(121)} AS load_dts, {pick(122, MAKES, power=1.7)} AS make, "
            f"CAST(1995 + 30 * sqrt({unit(123)}) AS INTEGER) AS built_in, {some(124, 0.9, f'CAST(40 + {_whole(125, 300)} AS INTEGER)')} AS kilowatts, "
            f"{pick(126, ['petrol', 'diesel', 'electric', 'hybrid'], power=1.4)} AS fuel, {_source(127)}",
        ),
        "s_branch_details": (
            branches,
            f"{_key('branch')} AS hk_branch, {_time(131)} AS load_dts, {OPEN_END} AS load_end_dts, 'Branch ' || CAST(i AS VARCHAR) AS branch_name, "
            f"{pick(132, ['North', 'East', 'South', 'West', 'Centre'], '(i % 40)')} AS region, {pick(133, COUNTRIES, power=1.4)} AS country_code, {_source(134)}",
        ),
        "s_payment_details": (
            payments,
            f"{_key('payment')} AS hk_payment, {_time(141)} AS load_dts, {due} AS due_on, "
            f"{some(142, 0.93, f'{due} + CAST({_whole(143, 75, power=4.0)} AS INTEGER)')} AS paid_on, {_money(144, 5, 600, 2.5)} AS amount, "
            f"{pick(145, ['debit', 'card', 'transfer', 'cash'], power=1.7)} AS method, {some(146, 0.06, problem)} AS problem, {_source(148)}",
        ),
        "r_country": (
            len(COUNTRIES),
            f"([{', '.join(repr(c) for c in COUNTRIES)}])[i + 1] AS country_code, 'Country ' || CAST(i AS VARCHAR) AS country_name, {unit(151)} < 0.8 AS in_union",
        ),
    }


def _query(table: str, columns: str, low: int, high: int) -> str:
    version = "2" if table in ("s_customer_details", "s_policy_terms") else "1"
    return f"SELECT {columns} FROM (SELECT i, i % {version} AS v, 'Person ' || CAST(i // 2 AS VARCHAR) AS v_name FROM range({low}, {high}) AS r(i))"


def make(folder: Path, payments: int = PAYMENTS) -> bool:
    """Write the tables below `folder`; nothing happens when they are there already."""
    writer = TableWriter(folder, "raw_vault", payments)
    if writer.is_done():
        return False
    for table, (rows, columns) in tables(payments).items():
        writer.write(table, rows, lambda low, high, table=table, columns=columns: _query(table, columns, low, high))
    writer.finish()
    return True


if __name__ == "__main__":
    sys.exit(command_line(__doc__, make, PAYMENTS))
