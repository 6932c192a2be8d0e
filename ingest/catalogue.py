"""What the shop sells and where it lies: about 200 wines and spirits, and four stock locations.

A fact of the shop, so the same for every seed. Vintages and prices are written down and never follow from
today's date: a run of this year and one of next year give the same bytes.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

from faker import Faker

LOCATIONS: Final = ("PARIS-BERCY", "LYON-CONFLUENCE", "BORDEAUX-CHARTRONS", "DIJON-CLEMENCEAU")
CATEGORIES: Final = ("Rouge", "Blanc", "Rosé", "Effervescent", "Spiritueux")

FIRST_PRODUCT_ID: Final = 1001
_ESTATE_SEED: Final = 1855
_VINTAGES: Final = (2015, 2016, 2017, 2018, 2019, 2020, 2021, 2022)
# Bottles in litres with the factor, in percent, that they put on the price of the usual one.
_SIZES: Final = (("0.750", 100), ("0.750", 100), ("0.750", 100), ("1.500", 215), ("0.375", 55))

# Appellation and the price in cents of its simplest bottle.
_WINES: Final = {
    "Rouge": (
        ("Pauillac", 4200), ("Margaux", 4600), ("Saint-Julien", 3900), ("Saint-Émilion Grand Cru", 3450),
        ("Pomerol", 5200), ("Pessac-Léognan", 3300), ("Gevrey-Chambertin", 5900), ("Pommard", 5450),
        ("Volnay", 4950), ("Mercurey", 2450), ("Côte-Rôtie", 6200), ("Hermitage", 7400),
        ("Châteauneuf-du-Pape", 3650), ("Gigondas", 2190), ("Crozes-Hermitage", 1890), ("Morgon", 1490),
        ("Fleurie", 1450), ("Chinon", 1290), ("Bandol", 2390), ("Cahors", 1250),
        ("Madiran", 1180), ("Minervois La Livinière", 1390), ("Corbières", 890), ("Bordeaux Supérieur", 790),
    ),
    "Blanc": (
        ("Chablis Premier Cru", 2890), ("Meursault", 6100),
        ("Puligny-Montrachet", 7900), ("Pouilly-Fuissé", 2650),
        ("Sancerre", 1990), ("Pouilly-Fumé", 2090), ("Vouvray", 1590), ("Savennières", 2490),
        ("Muscadet Sèvre et Maine", 890), ("Riesling Grand Cru", 2950), ("Gewurztraminer", 1690),
        ("Condrieu", 4400), ("Sauternes", 3950),
        ("Entre-Deux-Mers", 790), ("Jurançon", 1690), ("Cassis", 1890),
    ),
    "Rosé": (
        ("Côtes de Provence", 1190), ("Bandol Rosé", 2190), ("Tavel", 1390), ("Lirac Rosé", 1090),
        ("Rosé de Loire", 750), ("Marsannay Rosé", 1650), ("Sable de Camargue", 690), ("Ajaccio Rosé", 1290),
    ),
    "Effervescent": (
        ("Champagne Brut", 3290), ("Champagne Blanc de Blancs", 4590), ("Champagne Rosé", 4390),
        ("Crémant d'Alsace", 1190), ("Crémant de Loire", 1090), ("Crémant de Bourgogne", 1290),
        ("Clairette de Die", 990), ("Blanquette de Limoux", 950), ("Cerdon", 1150),
    ),
    "Spiritueux": (
        ("Cognac VSOP", 4490), ("Cognac XO", 13900),
        ("Bas-Armagnac 15 ans", 7900), ("Calvados Pays d'Auge", 4290),
        ("Marc de Bourgogne", 3990), ("Rhum agricole vieux", 4790), ("Rhum blanc agricole", 2190),
        ("Whisky breton single malt", 5290), ("Gin de Cognac", 3490), ("Absinthe verte", 4990),
        ("Chartreuse verte", 4290), ("Poire Williams", 3790), ("Mirabelle de Lorraine", 3690),
    ),
}  # fmt: skip
_HOW_MANY: Final = {"Rouge": 70, "Blanc": 50, "Rosé": 20, "Effervescent": 25, "Spiritueux": 35}
_EMOJI: Final = {"Rouge": "🍷", "Blanc": "🥂", "Rosé": "🌸", "Effervescent": "🍾", "Spiritueux": "🥃"}
_HOUSES: Final = {"Effervescent": ("Maison", "Cave", "Domaine"), "Spiritueux": ("Distillerie", "Maison")}


@dataclass(frozen=True)
class Product:
    """One bottle on the shelf. Money is in cents; the size is decimal text, as it goes into the events."""

    product_id: int
    name: str
    category: str
    unit_cents: int
    bottle_size_l: str
    emoji: str


@cache
def catalogue() -> tuple[Product, ...]:
    """All products, in order of their ids."""
    faker = Faker("fr_FR")
    faker.seed_instance(_ESTATE_SEED)
    products: list[Product] = []
    for category in CATEGORIES:
        for number in range(_HOW_MANY[category]):
            products.append(_bottle(FIRST_PRODUCT_ID + len(products), category, number, faker.last_name()))
    return tuple(products)


def _bottle(product_id: int, category: str, number: int, family: str) -> Product:
    appellation, cents = _WINES[category][number % len(_WINES[category])]
    house = _HOUSES.get(category, ("Château", "Domaine", "Clos"))[number % 2]
    name = f"{appellation} {house} {family}"
    size, percent = "0.700", 100
    if category != "Spiritueux":
        size, percent = _SIZES[number % len(_SIZES)]
        name = f"{name} {_VINTAGES[number * 3 % len(_VINTAGES)]}"
    # Later bottles of an appellation are its better ones; every price ends as a shop's do.
    price = cents * percent * (100 + 9 * (number // len(_WINES[category]))) // 10_000
    return Product(product_id, name, category, price - price % 10 + 9, size, _EMOJI[category])


@cache
def stock_keys() -> tuple[tuple[Product, str], ...]:
    """Every product at every location, location by location: the order in which stock is opened."""
    return tuple((bottle, location) for location, bottle in product(LOCATIONS, catalogue()))
