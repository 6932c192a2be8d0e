"""What a person sees in a browser, against the truth of the known shop."""

from datetime import date, timedelta
from decimal import Decimal

from tests.browser.app import DESKTOP, PHONE, Dashboard
from tests.browser.conftest import Open
from tests.dashboard import shop
from tests.engines.engine import Snowcellar

ORDERS = shop.orders()
MOVEMENTS = shop.movements()
MONTH = shop.LAST_DAY - timedelta(29)
WEEK = shop.LAST_DAY - timedelta(6)
PAGES = {"Ventes": "Sales", "Stock": "Stock", "Clients": "Customers", "Pipeline": "Pipeline"}
# Charts and tables of each page.
BLOCKS = {
    "Ventes": (4, ["top_wines", "top_customers"]),
    "Stock": (3, ["stock_levels", "low_stock", "running_out", "running_balance", "movements"]),
    "Clients": (2, ["segments", "cohorts", "customers"]),
    "Pipeline": (1, ["alerts", "layers", "streams", "rejected", "task_runs", "invariants"]),
}


def number(value: int | Decimal, decimals: int = 0) -> str:
    """As the French write it."""
    return f"{value:,.{decimals}f}".replace(",", " ").replace(".", ",")


def money(value: Decimal) -> str:
    return f"{number(value, 2)} €"


def sales(orders: list[shop.Order]) -> list[str]:
    """The five figures of the sales page."""
    revenue = sum((order.amount for order in orders), Decimal(0))
    baskets = len({(order.customer, order.day) for order in orders})
    people = len({order.customer for order in orders})
    bottles = sum(order.quantity for order in orders)
    return [number(len(orders)), number(people), money(revenue), money(revenue / baskets), number(bottles)]


def levels() -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = {}
    for movement in MOVEMENTS:
        key = movement.product, movement.location
        found[key] = found.get(key, 0) + movement.change
    return found


def test_every_page_is_whole_on_a_desk_in_french(new_page: Open) -> None:
    dashboard = new_page(DESKTOP, "light").open()
    assert dashboard.background() == "rgb(255, 255, 255)"
    for name in BLOCKS:
        if name != "Ventes":
            dashboard.press(name)
        check(dashboard, name)


def test_every_page_is_whole_on_a_phone_in_english_and_in_the_dark(new_page: Open) -> None:
    dashboard = new_page(PHONE, "dark").open()
    assert dashboard.background() == "rgb(14, 17, 23)"
    dashboard.open_sidebar()
    dashboard.press("English")
    dashboard.close_sidebar()
    assert dashboard.figures()[2] == f"€{sum(order.amount for order in month()):,.2f}"
    for name, english in PAGES.items():
        if english != "Sales":
            dashboard.press(english)
        check(dashboard, name)
    assert dashboard.query() == {"lang": ["en"], "page": ["pipeline"], "product": ["1000"]}


def check(dashboard: Dashboard, name: str) -> None:
    charts, tables = BLOCKS[name]
    assert len(dashboard.figures()) == 5, name
    assert all(dashboard.figures()), name
    assert dashboard.tables() == tables, name
    drawn = dashboard.charts()
    assert len(drawn) == charts, name
    assert all(drawn), name
    assert dashboard.overflow() == 0, name


def month() -> list[shop.Order]:
    return shop.between(ORDERS, MONTH, shop.LAST_DAY)


def test_the_filters_of_sales_combine_and_survive_a_reload_and_another_language(new_page: Open) -> None:
    dashboard = new_page().open()
    assert dashboard.figures() == sales(month())
    dashboard.select("Période", "7 derniers jours")
    week = shop.between(ORDERS, WEEK, shop.LAST_DAY)
    assert dashboard.figures() == sales(week)
    dashboard.add("Catégories", "Rouge").add("Canaux de vente", "L'ÉCHOPPE")
    chosen = [order for order in week if order.category == "Rouge" and order.channel == "L'ÉCHOPPE"]
    assert dashboard.figures() == sales(chosen)
    assert dashboard.query() == {"period": ["7d"], "category": ["Rouge"], "channel": ["L'ÉCHOPPE"]}
    charts = dashboard.charts()
    dashboard.press("English").press("Français")
    assert dashboard.figures() == sales(chosen)
    assert dashboard.reload().figures() == sales(chosen)
    assert dashboard.charts() == charts
    # The other pages know what was chosen, as far as it concerns them.
    dashboard.press("Clients")
    assert dashboard.figures()[0] == number(len({order.customer for order in chosen}))
    wines = dashboard.press("Ventes").download("top_wines")
    revenue = shop.revenue_by(chosen, lambda order: order.product)
    assert [Decimal(line["Chiffre d'affaires"]) for line in wines] == sorted(revenue.values(), reverse=True)
    # A name that begins like a formula is a text to a spreadsheet.
    assert {line["Produit"] for line in wines} == {f"'{shop.name_of(product)}" for product in revenue}


def test_chosen_dates_and_the_change_against_the_days_before(new_page: Open) -> None:
    dashboard = new_page().open(**{"period": "custom", "from": "2026-03-11", "to": "2026-03-20"})
    now = shop.between(ORDERS, date(2026, 3, 11), date(2026, 3, 20))
    before = shop.between(ORDERS, date(2026, 3, 1), date(2026, 3, 10))
    assert dashboard.figures() == sales(now)
    change = Decimal(len(now)) / len(before) - 1
    assert dashboard.changes()[0] == f"{change * 100:+.1f} %".replace(".", ",")
    days = {order.day for order in now}
    bars = [part for part in dashboard.charts()[0].split("|") if "A" in part or "C" in part]
    assert len(bars) >= len(days)
    labels = dashboard.charts()[0]
    assert "11 mars" in labels, "a bar stands on its day, wherever the browser is"
    assert "10 mars" not in labels


def test_stock_by_place_and_a_products_balance_on_a_phone(new_page: Open) -> None:
    dashboard = new_page(PHONE).open(page="stock")
    assert dashboard.figures()[0] == number(sum(levels().values()))
    dashboard.open_sidebar()
    dashboard.add("Emplacements", "ATLANTIS")
    dashboard.close_sidebar()
    here = {product: level for (product, place), level in levels().items() if place == "ATLANTIS"}
    low = {product: level for product, level in here.items() if level < 24}
    critical = sum(level < 10 for level in low.values())
    expected = [sum(here.values()), len(here), critical, len(low) - critical]
    assert dashboard.figures()[:4] == [number(value) for value in expected]
    listed = dashboard.download("low_stock")
    assert sorted(int(line["Bouteilles"]) for line in listed) == sorted(low.values())
    assert dashboard.query() == {"page": ["stock"], "location": ["ATLANTIS"], "product": ["1000"]}
    assert dashboard.page.get_by_text("Sans position connue sur la carte : ATLANTIS").is_visible()
    dashboard.select("Produit", f"{shop.name_of(1003)} · 1003")
    balance = dashboard.download("running_balance")
    assert int(balance[0]["Stock le soir"]) == here[1003]
    assert dashboard.query()["product"] == ["1003"]


def test_the_pipeline_page_shows_what_went_wrong(new_page: Open, cellar: Snowcellar) -> None:
    dashboard = new_page(scheme="dark").open(page="pipeline")
    assert dashboard.figures()[2] == str(len(shop.REJECTED))
    assert dashboard.figures()[4] == "2"
    assert dashboard.rows("Alerte")[0][:3] == ["▲ critique", "LOW_STOCK", "1003/ATLANTIS"]
    cellar.session.sql(
        "UPDATE OPS.ALERT_LOG SET CLEARED_AT = SYSDATE() WHERE ALERT_NAME = 'LOW_STOCK'"
    ).collect()
    assert dashboard.press("English").figures()[4] == "1"
    runs = dashboard.download("task_runs")
    assert [line["Task"] for line in runs] == ["TASK_THAT_FAILS"]
    assert "Division by zero" in runs[0]["Error"]
    orders = next(line for line in dashboard.download("layers") if line["Table"] == "ORDERS")
    assert int(orders["Rows"]) == len(ORDERS)


def test_a_page_that_cannot_be_computed_gives_advice_and_tries_again(
    new_page: Open, cellar: Snowcellar
) -> None:
    cellar.session.sql("DROP VIEW ANALYTICS.STOCK_COVER").collect()
    dashboard = new_page().open(page="stock", category="Rosé")
    assert dashboard.page.locator("h2").all_inner_texts() == ["Le pipeline n'est pas déployé ici"]
    assert dashboard.figures() == []
    cellar.deploy("083_analytics_stock")
    dashboard.page.get_by_role("button", name="Réessayer").click()
    dashboard.page.wait_for_selector('[data-testid="stMetric"]')
    assert len(dashboard.settle().figures()) == 5
