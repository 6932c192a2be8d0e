"""docs/monitoring.md: each command is run, or the page says why not; what it names is there."""

import re
import shlex
import shutil
import subprocess
import tomllib
from typing import Final

import pytest

from caves_snowpark.names import KAFKA_OFFSET_GAPS
from ingest.positions import GapReason
from tests.monitoring import stack
from tests.monitoring.stack import PAGE, ROOT
from tests.monitoring.test_compose import command_of

TEXT: Final = PAGE.read_text(encoding="utf-8")
# Each block: the reason why it is not run, if there is one; its language; its text.
BLOCKS: Final[list[tuple[str, str, str]]] = re.findall(
    r"^(?:<!-- not run: ([^\n]+) -->\n)?```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL
)
COMMANDS: Final = [
    line
    for reason, language, text in BLOCKS
    for line in text.splitlines()
    if language == "bash" and not reason
]
NOT_RUN: Final = [text for reason, _, text in BLOCKS if reason]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_runs(line: str) -> None:
    name, *arguments = shlex.split(line)
    if name == "caves":
        # test_without_containers.py runs an ingestor; here its flags.
        command_of(arguments[0]).make_context(arguments[0], arguments[1:])
        return
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed (Debian and Ubuntu: apt-get install prometheus)")
    if name == "prometheus":
        # It would not end, and test_without_containers.py runs it: here whether it knows the flags.
        assert (ROOT / arguments[0].partition("=")[2]).exists()
        arguments = [*arguments, "--version"]
    done = subprocess.run([name, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_has_commands_of_each_kind() -> None:
    assert {line.split()[0] for line in COMMANDS} == {"caves", "prometheus", "promtool"}
    assert len(NOT_RUN) == 4
    assert [language for _, language, _ in BLOCKS if language != "bash"] == ["toml", "sql"]


def test_the_commands_that_are_not_run_name_the_compose_file_and_its_services() -> None:
    # PITFALLS 34.
    for block in NOT_RUN:
        for line in block.splitlines():
            if line.startswith("docker"):
                assert line.startswith("docker compose -f ingest/compose.yaml ")
                words = set(re.findall(r"(?<![-\w.])[a-z]+(?=\s|=\d|$)", line.split(".yaml ")[1]))
                assert words <= stack.services().keys() | {"up", "ps", "down"}


def test_ports_and_addresses_are_those_of_the_compose_file() -> None:
    published = [port for service in stack.services().values() for port in service.get("ports", [])]
    for variable, port in (re.findall(r"\$\{(\w+):-(\d+)\}", one)[0] for one in published):
        row = next(line for line in TEXT.splitlines() if f"`{variable}`" in line)
        assert f"127.0.0.1:{port}" in row


def test_the_connection_of_the_page_is_read_as_the_container_reads_it() -> None:
    (block,) = (text for _, language, text in BLOCKS if language == "toml")
    environment = stack.services()["ingestor"]["environment"]
    (name,) = tomllib.loads(block)
    assert environment["CAVES_CONNECTION"] == f"${{CAVES_CONNECTION:-{name}}}"


def test_reasons_and_table_are_those_that_the_ingestor_writes() -> None:
    chapter = TEXT[TEXT.index("### IngestorEventsLost") :]
    told = set(re.findall(r"^\| `(\w+)` \|", chapter, re.MULTILINE))
    assert told == {reason.value for reason in GapReason} - {"NOT_IN_LOG"}
    assert f"FROM {KAFKA_OFFSET_GAPS}" in chapter


def test_files_and_links_of_the_page_are_there() -> None:
    for path in re.findall(r"`((?:ingest|tests)/[\w./-]+)`", TEXT):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (PAGE.parent / link).exists(), link
    for anchor in re.findall(r"\]\(#([^)]+)\)", TEXT):
        assert anchor in stack.anchors(PAGE)
