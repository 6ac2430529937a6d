"""What the company asks its SQL warehouses: statements, and what one run of each takes."""

from overwatch_assets.demo.estate import SqlStatement

MB = 1_000_000
SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS

DASHBOARD = (
    SqlStatement(
        "SELECT store_id, sum(amount) AS turnover FROM sales.daily\n"
        "WHERE day >= current_date() - INTERVAL 28 DAYS GROUP BY store_id",
        "SELECT",
        42 * SECOND_MS,
        640 * MB,
        9_100_000,
        212,
        96,
    ),
    SqlStatement(
        "SELECT region, count(DISTINCT basket_id) FROM sales.baskets GROUP BY region",
        "SELECT",
        55 * SECOND_MS,
        1200 * MB,
        21_000_000,
        14,
        180,
    ),
    SqlStatement(
        "SELECT sensor, max(celsius) FROM lager.kühlkette WHERE celsius > 6 GROUP BY sensor",
        "SELECT",
        31 * SECOND_MS,
        310 * MB,
        5_400_000,
        37,
        44,
    ),
)
ADHOC = (
    SqlStatement("SHOW TABLES IN sales", "SHOW", 400, 0, 0, 41, 0),
    SqlStatement(
        "SELECT * FROM sales.transactions WHERE basket_id = 'B-2209' LIMIT 1000",
        "SELECT",
        6 * SECOND_MS,
        88 * MB,
        1_300_000,
        17,
        12,
    ),
    SqlStatement(
        "SELECT p.category, sum(t.amount) FROM sales.transactions t JOIN products p\n"
        "USING (product_id) GROUP BY p.category ORDER BY 2 DESC",
        "SELECT",
        75 * SECOND_MS,
        2100 * MB,
        34_000_000,
        63,
        240,
    ),
    SqlStatement(
        "UPDATE lab.promo SET is_active = false WHERE ends < current_date()",
        "UPDATE",
        14 * SECOND_MS,
        22 * MB,
        410_000,
        120,
        6,
    ),
    SqlStatement(
        "OPTIMIZE sales.daily ZORDER BY (store_id)",
        "OPTIMIZE",
        210 * SECOND_MS,
        3300 * MB,
        0,
        0,
        410,
    ),
)
SHARED = ADHOC[2]
"""The statement that several people send, word for word."""

BROKEN = SqlStatement("SELECT turnovr FROM sales.daily", "SELECT", 900, 0, 0, 0, 0)
BROKEN_ERROR = (
    "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `turnovr` cannot be resolved. "
    "Did you mean `turnover`? SQLSTATE: 42703"
)
NIGHTLY = SqlStatement(
    "MERGE INTO sales.daily d USING staging.daily s ON d.day = s.day AND d.store_id = s.store_id\n"
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
    "MERGE",
    45 * MINUTE_MS,
    18_000 * MB,
    260_000_000,
    48_000,
    1900,
)
BACKFILL = SqlStatement(
    "INSERT INTO history.transactions SELECT * FROM landing.tills_since_2011",
    "INSERT",
    56 * 60 * MINUTE_MS,
    2_400_000 * MB,
    31_000_000_000,
    30_900_000_000,
    182_000,
)
CLOSING = SqlStatement(
    "CREATE OR REPLACE TABLE finance.closing AS SELECT * FROM finance.ledger_month",
    "CREATE",
    40 * MINUTE_MS,
    5200 * MB,
    77_000_000,
    77_000_000,
    510,
)
