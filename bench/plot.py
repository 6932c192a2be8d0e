"""A comparison as a picture: a bar for each contestant, as long as its median, with the spread of its runs.

SVG, by the standard library alone: a chart library would be a dependency for a few rectangles.
"""

from collections.abc import Iterable
from typing import Any, Final
from xml.etree import ElementTree

from bench.harness import OURS

_WIDTH: Final = 720
_NAMES: Final = 230
_BAR: Final = 16
_ROW: Final = 26
_TITLE: Final = 30
_FIGURES: Final = 110
_COLOURS: Final = {True: "#7b1e3a", False: "#9aa3ad"}


def figure(value: float) -> str:
    """A number as tables and pictures show it."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def svg(comparisons: Iterable[dict[str, Any]]) -> str:
    """The comparisons of a bench, one below the other, each on its own scale from zero."""
    found = list(comparisons)
    height = sum(_TITLE + _ROW * len(each["figures"]) for each in found) + 10
    picture = ElementTree.Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {height}",
        attrib={"font-family": "sans-serif", "font-size": "12"},
    )
    _rectangle(picture, 0, 0, _WIDTH, height, "#ffffff")
    top = 0
    for each in found:
        _text(picture, 8, top + 20, f"{each['work']} ({each['unit']})", weight="bold")
        top += _TITLE
        longest = max(numbers["highest"] for numbers in each["figures"].values()) or 1.0
        for name, numbers in each["figures"].items():
            _bar(picture, top, name, numbers, (_WIDTH - _NAMES - _FIGURES) / longest)
            top += _ROW
    ElementTree.indent(picture)
    return ElementTree.tostring(picture, encoding="unicode") + "\n"


def _bar(picture: ElementTree.Element, top: int, name: str, numbers: dict[str, float], scale: float) -> None:
    middle = top + _BAR / 2
    _text(picture, _NAMES - 8, top + 12, name, anchor="end")
    _rectangle(picture, _NAMES, top, numbers["median"] * scale, _BAR, _COLOURS[name == OURS])
    lowest, highest = (_NAMES + numbers[end] * scale for end in ("lowest", "highest"))
    line = {"x1": lowest, "x2": highest, "y1": middle, "y2": middle}
    ElementTree.SubElement(
        picture, "line", {key: f"{value:.1f}" for key, value in line.items()} | {"stroke": "#222222"}
    )
    _text(picture, max(highest, _NAMES + numbers["median"] * scale) + 8, top + 12, figure(numbers["median"]))


def _rectangle(
    picture: ElementTree.Element, left: float, top: float, width: float, height: float, colour: str
) -> None:
    numbers = {"x": left, "y": top, "width": width, "height": height}
    ElementTree.SubElement(
        picture, "rect", {key: f"{value:.1f}" for key, value in numbers.items()} | {"fill": colour}
    )


def _text(
    picture: ElementTree.Element,
    left: float,
    top: float,
    text: str,
    *,
    anchor: str = "start",
    weight: str = "normal",
) -> None:
    attributes = {"x": f"{left:.1f}", "y": f"{top:.1f}", "text-anchor": anchor, "font-weight": weight}
    ElementTree.SubElement(picture, "text", attributes | {"fill": "#222222"}).text = text
