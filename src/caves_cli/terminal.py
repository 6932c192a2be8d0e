"""Text from outside, made safe to show: a terminal obeys control characters, and people what they see."""

import unicodedata
from typing import Final

# Control, format (among them those that turn the direction of writing), surrogates, private use, unassigned,
# and the separators that break a line.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, *, keep: str = "") -> str:
    r"""The text with what cannot be seen spelled out: ESC as \x1b, a right-to-left mark as \u200f."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each in keep or _is_seen(each) else _spelled(each) for each in text)


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN


def _spelled(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
