"""README.md, docs/** and the other pages as Markdown has them: headings, links, fenced blocks, comments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
_MARKDOWN: Final = MarkdownIt().enable("table")
_COMMENT: Final = re.compile(r"<!--\s*(.*?)\s*-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block, and what the comments directly before it say of it."""

    page: Path
    line: int
    language: str
    text: str
    comments: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def said(self, word: str) -> str | None:
        """What a comment `word: ...` says; '' for a bare `word`; None where there is none."""
        for comment in self.comments:
            name, _, rest = comment.partition(":")
            if name == word:
                return rest.strip()
        return None


@cache
def tokens(page: Path) -> list[Token]:
    return _MARKDOWN.parse(page.read_text(encoding="utf-8"))


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page in order. A comment counts for the fence that follows it at once."""
    found = []
    comments: list[str] = []
    for token in tokens(page):
        if token.type == "html_block":
            comments += _COMMENT.findall(token.content)
        elif token.type == "fence":
            line = (token.map or [0])[0] + 1
            found.append(Block(page, line, token.info.strip(), token.content, tuple(comments)))
            comments = []
        elif token.level == 0:
            comments = []
    return found


def headings(page: Path, level: int | None = None) -> list[str]:
    """The headings of a page as they are read: without their marks."""
    stream = tokens(page)
    return [
        _text(stream[position + 1])
        for position, token in enumerate(stream)
        if token.type == "heading_open" and level in (None, int(token.tag[1:]))
    ]


def _text(inline: Token) -> str:
    return "".join(part.content for part in inline.children or [] if part.type in ("text", "code_inline"))


def anchors(page: Path) -> set[str]:
    """What a link may point to on a page, as GitHub makes it of the headings."""
    found: set[str] = set()
    for heading in headings(page):
        stem = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        name, number = stem, 0
        while name in found:
            number += 1
            name = f"{stem}-{number}"
        found.add(name)
    return found


def links(page: Path) -> Iterator[str]:
    """Where the links and images of a page lead."""
    for token in tokens(page):
        for part in token.children or []:
            if part.type in ("link_open", "image"):
                yield str(part.attrs["href" if part.type == "link_open" else "src"])


def table_rows(page: Path) -> list[list[str]]:
    """The cells of every table row of a page, heads included."""
    rows: list[list[str]] = []
    for token in tokens(page):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level >= 4:
            rows[-1].append(_text(token))
    return rows
