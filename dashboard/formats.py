"""Numbers, money, days and durations as a language writes them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

# Thin and unbreakable, as French typography wants it between thousands; the wider one stands before a unit.
_THIN: Final = "\u202f"
_SPACE: Final = "\u00a0"
_MINUS: Final = "-"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True)
class Formats:
    """The habits of one language, `fr` or `en`."""

    language: str

    @property
    def french(self) -> bool:
        return self.language == "fr"

    def number(self, value: Any, decimals: int = 0) -> str:
        """1 234,5 or 1,234.5; nothing for nothing."""
        if value is None or value != value:
            return ""
        exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
        text = f"{exact + 0:,f}"
        return text.replace(",", _THIN).replace(".", ",") if self.french else text

    def money(self, value: Any) -> str:
        """1 234,50 € or €1,234.50."""
        text = self.number(value, 2)
        if not text:
            return ""
        if self.french:
            return f"{text}{_SPACE}€"
        return f"{_MINUS}€{text[1:]}" if text.startswith(_MINUS) else f"€{text}"

    def share(self, value: Any, decimals: int = 0) -> str:
        """25 % or 25%, from 0.25."""
        text = self.number(None if value is None else Decimal(str(value)) * 100, decimals)
        return f"{text}{_SPACE}%" if self.french and text else f"{text}%" if text else ""

    def change(self, now: Any, before: Any) -> str | None:
        """By how much it rose or fell, or None where there is nothing to compare with."""
        if not before:
            return None
        share = self.share(Decimal(str(now)) / Decimal(str(before)) - 1, 1)
        return share if share.startswith(_MINUS) else f"+{share}"

    def signed(self, value: Any) -> str:
        text = self.number(value)
        return f"+{text}" if text and value > 0 else text

    def day(self, value: date | None) -> str:
        """23/11/2026 or 23 Nov 2026."""
        if value is None:
            return ""
        return f"{value:%d/%m/%Y}" if self.french else f"{value.day} {_MONTHS[value.month - 1]} {value.year}"

    def moment(self, value: datetime | None) -> str:
        return "" if value is None else f"{self.day(value)} {value:%H:%M}"

    def duration(self, seconds: float | None) -> str:
        """The largest unit that says enough: 45 s, 12 min, 5 h, 3 j."""
        if seconds is None:
            return ""
        for size, unit in ((_DAY, "j" if self.french else "d"), (_HOUR, "h"), (_MINUTE, "min")):
            if seconds >= 2 * size:
                return f"{self.number(seconds // size)}{_SPACE}{unit}"
        return f"{self.number(max(0, seconds // 1))}{_SPACE}s"


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
