"""The sequence diagrams of docs/architecture.md: which statements they say are sent, and in which order."""

import re
from typing import Final

from caves_snowpark import names
from tests.docs.pages import ROOT, blocks

PAGE: Final = ROOT / "docs" / "architecture.md"
_KNOWN: Final = {name.partition(".")[2] for name in (*names.TABLES, *names.STREAMS, *names.STAGES)}

Gist = tuple[str, str]


def gist(statement: str) -> Gist:
    """Its verb, and what it is about: the first name of ours in it."""
    words = re.findall(r"\w+", statement)
    return words[0].upper() if words else "", next((word for word in words if word.upper() in _KNOWN), "")


def sent(participant: str) -> list[Gist]:
    """What a participant of a sequence diagram sends to the warehouse."""
    for block in blocks(PAGE):
        named = dict(re.findall(r"^ *participant (\w) as (.*)$", block.text, re.MULTILINE))
        for letter, name in named.items():
            if name == participant:
                return [
                    gist(line) for line in re.findall(rf"^ *{letter}->>W: (.*)$", block.text, re.MULTILINE)
                ]
    raise LookupError(participant)
