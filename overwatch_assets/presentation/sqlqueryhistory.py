"""SQL queries, as consumers query them."""

from overwatch_assets.expressions.query_columns import DOCUMENTED
from overwatch_assets.view import View

VIEW = View(
    name="sqlQueryHistory",
    table="sql_query_history_gold",
    columns=(
        "organization_id",
        "workspace_name",
        *DOCUMENTED,
        "end_imputed",
        "end_reason",
    ),
    doc=(
        "One row per SQL query; joins to warehouse and to warehouseStateFact by warehouse_id. Of a "
        "query that runs (is_open) only what was known from its start is told. What queries cost: "
        "sqlQueryCostDaily."
    ),
)
