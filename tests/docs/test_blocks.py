"""Every command and statement of README.md and docs/ runs, in the order of its page, in one local world.

A comment directly before a fence changes that, unseen by the reader:

    not run: REASON            it cannot be; its flags and the files it names are checked all the same
    run by: PATH, WHY          a test or .ci/run does it, for it takes long or needs a world of its own
    in another terminal        it runs until Ctrl-C
    after Ctrl-C in: COMMAND   the command of another terminal is stopped first
    until it shows: TEXT       it is typed again and again until it says so

Then it provokes the messages that head docs/troubleshooting.md, and calls what docs/reference/procedures.md
describes.
"""

import json
import re
import shlex
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest
from snowflake.connector import ProgrammingError

from caves_cli.statements import DESCRIBE_QUERY
from caves_snowpark import names
from tests.docs import dead_letters, diagrams, reference, transcripts, troubles
from tests.docs.pages import PAGES, ROOT, Block, blocks
from tests.docs.world import World, check_flags, lines_of

BLOCKS: Final = [block for page in PAGES for block in blocks(page)]
# What is neither typed nor asked: what a file says, what a program answers, a picture.
NOT_TYPED: Final = {"text", "toml", "json", "yaml", "mermaid", "python"}
WORDS: Final = {"not run", "run by", "in another terminal", "after Ctrl-C in", "until it shows"}
# `caves up` and `caves down` are typed once, by the world itself.
_BY_THE_WORLD: Final = re.compile(r"caves (up|down)\b")
TYPED: Final = [
    block
    for block in BLOCKS
    if block.language not in NOT_TYPED and block.said("not run") is None and block.said("run by") is None
]
# dead-letters.md speaks of the first events of the topic, so it is the first page that is read.
TYPED.sort(key=lambda block: block.page.name != "dead-letters.md")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("reader")).lived_in() as lived_in:
        dead_letters.arrive(lived_in)
        yield lived_in


@pytest.fixture(scope="module")
def reading() -> list[Path]:
    """The page that is open."""
    return []


@pytest.mark.parametrize("block", TYPED, ids=lambda block: block.place)
def test_a_block_does_what_its_page_says(world: World, reading: list[Path], block: Block) -> None:
    if reading != [block.page]:
        world.end_page()
        world.new_page()
        reading[:] = [block.page]
    stopped = block.said("after Ctrl-C in")
    if stopped:
        world.interrupt(stopped)
    match block.language:
        case "bash":
            _type(world, block)
        case "console":
            _converse(world, block)
        case "sql":
            cursors = list(world.worksheet().execute_string(block.text, remove_comments=True))
            assert [cursor.sfqid for cursor in cursors]


def _type(world: World, block: Block) -> None:
    wanted = block.said("until it shows")
    for line in lines_of(block.text):
        assert not line.startswith("make "), "a target of the Makefile would test the tests"
        if _BY_THE_WORLD.match(line):
            check_flags(line)
        elif block.said("in another terminal") is not None:
            world.in_another_terminal(line)
        elif wanted is not None:
            world.see(line, wanted)
        else:
            world.type_once(line)


def _converse(world: World, block: Block) -> None:
    """A transcript: after each `$` what the command answers, but for the time."""
    for command, answer in transcripts.exchanges(block):
        assert _timeless(transcripts.answered(world, command, answer)) == _timeless(answer)


def _timeless(text: str) -> list[str]:
    text = re.sub(r"\d{4}-\d\d-\d\d", "DATE", text)
    text = re.sub(r"\b\d\d:\d\d(:\d\d)?\b", "TIME", text)
    return text.strip().splitlines()


@pytest.mark.parametrize(("heading", "line"), troubles.TYPED.items())
def test_a_message_comes_when_this_is_typed(world: World, heading: str, line: str) -> None:
    world.new_page()
    said = world.type(line.format(port=world.port), fails=True)
    assert troubles.pattern(heading).search(" ".join(re.sub("[│╭╮╰╯─]", " ", said).split()))


@pytest.mark.parametrize(("heading", "question"), troubles.ASKED.items())
def test_a_message_comes_when_this_is_asked(world: World, heading: str, question: str) -> None:
    world.end_page()
    with pytest.raises(ProgrammingError) as refused:
        world.worksheet().cursor().execute(question)
    assert troubles.pattern(heading).search(" ".join(str(refused.value).split()))


@pytest.mark.parametrize(
    ("procedure", "arguments"),
    [
        *(
            (name, ())
            for name in reference.RETURNS
            if not name.endswith(("_REJECTED", "_ALERTS", "_CUSTOMER"))
        ),
        ("REPLAY_REJECTED", ("NO_SUCH_REASON",)),
        ("DISMISS_REJECTED", ("NOT_JSON_OBJECT", "why")),
        ("SEND_ALERTS", ("CAVES_MAIL",)),
        # A preview: nothing brings a customer back.
        ("ERASE_CUSTOMER", (501, True)),
    ],
)
def test_a_procedure_returns_what_the_reference_says(
    world: World, procedure: str, arguments: tuple[object, ...]
) -> None:
    call = f"CALL {names.OPS}.{procedure}({', '.join(['%s'] * len(arguments))})"
    cursor = world.worksheet().cursor()
    cursor.execute(call, arguments)
    ((answer,),) = cursor.fetchall()
    assert set(json.loads(answer)) == set(reference.RETURNS[procedure])


_STATEMENTS: Final = (
    "SELECT {} FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000))"
    f" WHERE QUERY_TYPE <> '{DESCRIBE_QUERY}' AND NOT CONTAINS(QUERY_TEXT, 'QUERY_HISTORY')"
    " AND {} ORDER BY START_TIME"
)


def test_a_step_of_the_architecture_page_sends_the_statements_of_its_diagram(world: World) -> None:
    cursor = world.worksheet().cursor()
    cursor.execute(f"CALL {names.DISTRIBUTE_RAW_EVENTS}()")
    cursor.execute(_STATEMENTS.format("QUERY_TEXT", f"PARENT_QUERY_ID = '{cursor.sfqid}'"))
    sent = [diagrams.gist(text) for (text,) in cursor.fetchall()]
    # After the COMMIT the counts become the task's return value.
    assert [gist for gist in sent if gist[0] != "CALL"] == diagrams.sent("DISTRIBUTE_RAW_EVENTS")


def test_a_batch_of_the_architecture_page_sends_the_statements_of_its_diagram(world: World) -> None:
    world.type("caves produce --events 10 --seed 9")
    world.type("caves ingest --until-caught-up --assign")
    cursor = world.worksheet().cursor()
    cursor.execute(
        _STATEMENTS.format("SESSION_ID", f"CONTAINS(QUERY_TEXT, 'INSERT INTO {names.RAW_EVENTS} ')")
    )
    session = cursor.fetchall()[-1][0]
    cursor.execute(_STATEMENTS.format("QUERY_TEXT", f"SESSION_ID = {session}"))
    sent = [diagrams.gist(text) for (text,) in cursor.fetchall()]
    expected = diagrams.sent("caves ingest")
    known = [gist for gist in sent if gist in expected]
    # The offsets are looked up once for their partitions and once for the batch.
    assert [gist for gist, _ in groupby(known)] == expected, sent


def test_every_fence_says_what_it_is() -> None:
    for block in BLOCKS:
        assert block.language in {"bash", "console", "sql", *NOT_TYPED}, block.place
        assert {comment.partition(":")[0] for comment in block.comments} <= WORDS, block.place


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.said("not run") is not None], ids=lambda block: block.place
)
def test_a_block_that_is_not_run_says_why_and_has_flags_and_files_that_exist(block: Block) -> None:
    assert block.said("not run")
    if block.language != "bash":
        return
    for line in lines_of(block.text):
        if line.startswith("caves "):
            check_flags(line)
        for word in shlex.split(line, comments=True):
            if re.match(r"(deploy|ingest|src|analytics|tests|docs)/", word):
                assert (ROOT / word).exists(), word


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.said("run by") is not None], ids=lambda block: block.place
)
def test_a_block_that_runs_elsewhere_is_named_there(block: Block) -> None:
    said = block.said("run by") or ""
    text = (ROOT / said.split()[0].rstrip(",")).read_text(encoding="utf-8")
    for line in lines_of(block.text):
        words = shlex.split(line, comments=True)[:2]
        if words[0] == "export":
            continue
        assert all(word in text for word in words) or block.page.name in text, words
