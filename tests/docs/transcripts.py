"""The transcripts of docs/dead-letters.md: what each command answers today, in the order of the page.

`python -m tests.docs.transcripts` writes them anew; test_blocks.py compares.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.docs import dead_letters
from tests.docs.pages import ROOT, Block, blocks
from tests.docs.world import World

PAGE: Final = ROOT / "docs" / "dead-letters.md"


def exchanges(block: Block) -> Iterator[tuple[str, str]]:
    """Each command after a `$`, and the answer below it."""
    for exchange in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, answer = exchange.partition("\n")
        yield command, answer


def answered(world: World, command: str, answer: str) -> str:
    """What the command says now, without blanks at the ends of lines."""
    said = world.type(command, fails="Error: " in answer)
    return "\n".join(line.rstrip() for line in said.strip().splitlines()) + "\n"


def rewritten(world: World, text: str) -> str:
    for block in blocks(PAGE):
        if block.language == "sql":
            list(world.worksheet().execute_string(block.text))
        else:
            told = [f"$ {typed}\n{answered(world, typed, answer)}" for typed, answer in exchanges(block)]
            text = text.replace(block.text, "".join(told))
    return text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)).lived_in() as reader:
        dead_letters.arrive(reader)
        reader.new_page()
        PAGE.write_text(rewritten(reader, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
