"""Where cities are, and the outline of the country: a map without a map server.

Longitude and latitude to a tenth of a degree. A location's name starts with its city, as PARIS-BERCY does.
"""

from typing import Final

Point = tuple[float, float]

CITIES: Final[dict[str, Point]] = {
    "AIX": (5.4, 43.5), "AMIENS": (2.3, 49.9), "ANGERS": (-0.6, 47.5), "AVIGNON": (4.8, 43.9),
    "BEAUNE": (4.8, 47.0), "BORDEAUX": (-0.6, 44.8), "BREST": (-4.5, 48.4), "CAEN": (-0.4, 49.2),
    "COGNAC": (-0.3, 45.7), "COLMAR": (7.4, 48.1), "DIJON": (5.0, 47.3), "EPERNAY": (4.0, 49.0),
    "GRENOBLE": (5.7, 45.2), "LILLE": (3.1, 50.6), "LIMOGES": (1.3, 45.8), "LYON": (4.8, 45.8),
    "MARSEILLE": (5.4, 43.3), "MONTPELLIER": (3.9, 43.6), "NANCY": (6.2, 48.7), "NANTES": (-1.6, 47.2),
    "NICE": (7.3, 43.7), "ORLEANS": (1.9, 47.9), "PARIS": (2.4, 48.9), "PERPIGNAN": (2.9, 42.7),
    "REIMS": (4.0, 49.3), "RENNES": (-1.7, 48.1), "ROUEN": (1.1, 49.4), "STRASBOURG": (7.8, 48.6),
    "TOULOUSE": (1.4, 43.6), "TOURS": (0.7, 47.4),
}  # fmt: skip

# Metropolitan France without its islands, clockwise from Dunkirk.
OUTLINE: Final[tuple[Point, ...]] = (
    (2.5, 51.1), (3.1, 50.8), (4.2, 50.0), (4.8, 50.1), (4.9, 49.8), (5.8, 49.5), (6.4, 49.5), (6.7, 49.2),
    (7.5, 49.1), (8.2, 49.0), (7.8, 48.6), (7.6, 48.0), (7.6, 47.6), (7.0, 47.4), (6.9, 47.1), (6.5, 46.8),
    (6.1, 46.4), (6.0, 46.1), (6.8, 46.4), (7.0, 45.9), (6.8, 45.8), (7.1, 45.4), (6.6, 45.1), (7.0, 44.7),
    (6.9, 44.3), (7.7, 44.1), (7.5, 43.8), (6.9, 43.5), (6.6, 43.2), (6.1, 43.1), (5.4, 43.2), (4.8, 43.4),
    (4.1, 43.6), (3.5, 43.3), (3.1, 43.1), (3.0, 42.6), (3.2, 42.4), (2.0, 42.4), (1.4, 42.6), (0.7, 42.8),
    (-0.3, 42.8), (-0.8, 42.9), (-1.4, 43.1), (-1.8, 43.4), (-1.4, 43.7), (-1.2, 44.6), (-1.1, 45.5),
    (-0.9, 45.5), (-1.2, 46.1), (-1.8, 46.5), (-2.2, 47.1), (-2.5, 47.3), (-3.2, 47.6), (-4.3, 47.8),
    (-4.7, 48.1), (-4.3, 48.2), (-4.8, 48.4), (-4.0, 48.7), (-3.2, 48.8), (-2.6, 48.6), (-1.4, 48.6),
    (-1.6, 49.2), (-1.9, 49.7), (-1.3, 49.7), (-1.1, 49.4), (-0.2, 49.3), (0.2, 49.5), (0.7, 49.9),
    (1.5, 50.1), (1.6, 50.8), (2.5, 51.1),
)  # fmt: skip


def place(location: str) -> Point | None:
    """Where a location lies, by the city that its name starts with."""
    return CITIES.get(location.partition("-")[0].strip().upper())
