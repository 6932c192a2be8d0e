"""Every question that the dashboard asks, and nothing else asks any.

Each is one statement whose answer is aggregated or cut to a fixed number of lines, so its size does not grow
with the shop's history. Filters reach it as Snowpark expressions: a value is a literal, never a piece of SQL.
What a view of ANALYTICS defines is read from there, or counted by its rule where a filter has to go inside;
without filters the figures are the same, and a test compares them.
"""

from dashboard.queries.customers import (
    MOST_COHORTS,
    best_customers,
    cohort_unit,
    cohorts,
    customer_totals,
    scored_customers,
    segments,
)
from dashboard.queries.offered import NO_CHOICES, choices
from dashboard.queries.pipeline import alerts, health, offenders, open_alerts, task_runs, waiting_rejected
from dashboard.queries.sales import (
    bucket,
    revenue_by,
    revenue_by_hour,
    revenue_over_time,
    sales_totals,
    top_customers,
    top_wines,
)
from dashboard.queries.shared import MOST_LINES, NONE
from dashboard.queries.stock import (
    SOON_DAYS,
    low_stock,
    movements,
    products,
    running_balance,
    running_out,
    stock_levels,
    stock_totals,
)

__all__ = [
    "MOST_COHORTS",
    "MOST_LINES",
    "NONE",
    "NO_CHOICES",
    "SOON_DAYS",
    "alerts",
    "best_customers",
    "bucket",
    "choices",
    "cohort_unit",
    "cohorts",
    "customer_totals",
    "health",
    "low_stock",
    "movements",
    "offenders",
    "open_alerts",
    "products",
    "revenue_by",
    "revenue_by_hour",
    "revenue_over_time",
    "running_balance",
    "running_out",
    "sales_totals",
    "scored_customers",
    "segments",
    "stock_levels",
    "stock_totals",
    "task_runs",
    "top_customers",
    "top_wines",
    "waiting_rejected",
]
