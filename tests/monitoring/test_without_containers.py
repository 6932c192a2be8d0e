"""What the containers run, run without them, against the embedded broker and the local warehouse.

From the files: the image's environment, entry point and health check, the services' commands and settings,
how Prometheus scrapes.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from ingest.broker import EmbeddedBroker, running_broker
from ingest.topics import create_topic
from tests.ingest.test_metrics import scraped
from tests.ingest.warehouse import LocalWarehouse
from tests.monitoring import stack
from tests.monitoring.stack import INGEST, MONITORING
from tests.monitoring.test_compose import interpolated

BIN: Final = Path(sys.prefix) / "bin"
PROMETHEUS: Final = shutil.which("prometheus")
# Nothing here takes longer on two busy cores; past it, something hangs.
PATIENCE_SECONDS: Final = 90.0

# Python runs this when it starts. What the image does not have cannot be imported.
_AS_IN_THE_IMAGE: Final = """
import re, sys
from importlib.metadata import distribution, distributions, PackageNotFoundError
from importlib.abc import MetaPathFinder

def closure(names, seen):
    for name in names:
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in seen:
            continue
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        seen.add(name)
        closure([re.split(r"[^\\w.-]", line)[0] for line in requires if "extra ==" not in line], seen)
    return seen

def modules(found):
    parts = [str(file).split("/") for file in found.files or [] if str(file).endswith((".py", ".so"))]
    tops = [".".join(part[:2] if part[0] == "snowflake" else part[:1]) for part in parts]
    return {re.split(r"[.](?:py|cpython|abi3)", top)[0] for top in tops}

# Our own, without what it asks for: the image installs it with --no-deps.
allowed = closure(ALLOWED, set()) | {"caves-snowpark"}
have, lack = set(), set()
for found in distributions():
    name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
    (have if name in allowed else lack).update(modules(found))

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = ".".join(name.split(".")[:2] if name.startswith("snowflake.") else name.split(".")[:1])
        if top in lack - have:
            raise ModuleNotFoundError(f"the image has no {name}", name=name)
        return None

sys.meta_path.insert(0, Refuse())
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """With the topic in it: without one an ingestor ends, and nothing starts it again here."""
    with running_broker() as running:
        create_topic(
            running.bootstrap, interpolated(stack.services()["producer"]["environment"]["CAVES_TOPIC"]), 4
        )
        yield running


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    local = LocalWarehouse(tmp_path_factory.mktemp("cellar"))
    local.start()
    try:
        local.deploy()
        yield local
    finally:
        local.kill(signal.SIGTERM)


@dataclass(frozen=True)
class Container:
    """A service of the compose file as a process of this machine."""

    process: "subprocess.Popen[bytes]"
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['CAVES_METRICS_PORT']}"

    def samples(self) -> dict[str, float]:
        """One scrape, as Prometheus is told to make it; labels left aside."""
        with urlopen(self.url + stack.scrape_config()["metrics_path"], timeout=20) as answer:
            series = scraped(answer.read())
        return {name: value for (name, _), value in series.items()}

    def is_healthy(self) -> bool:
        """What the image's HEALTHCHECK says."""
        (text,) = (rest for word, rest in stack.instructions() if word == "HEALTHCHECK")
        _, *probe = json.loads(text.partition(" CMD ")[2])
        done = subprocess.run(
            [sys.executable, *probe], env=dict(self.environment), capture_output=True, check=False
        )
        return done.returncode == 0

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)


Start = Callable[[str], Container]


@pytest.fixture
def start(broker: EmbeddedBroker, warehouse: LocalWarehouse, tmp_path: Path) -> Iterator[Start]:
    """Start a service by its name. Only what names another machine, or a port, is replaced."""
    (tmp_path / "sitecustomize.py").write_text(_allowing_the_images_packages(), encoding="utf-8")
    running: list[Container] = []

    def run(name: str) -> Container:
        service = stack.services()[name]
        environment = {
            **stack.image_environment(),
            **{key: interpolated(value) for key, value in service["environment"].items()},
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(tmp_path),
            "CAVES_BOOTSTRAP": broker.bootstrap,
            "CAVES_CONNECTION": "local",
            "CAVES_CONFIG_FILE": str(warehouse.config_file),
            "CAVES_METRICS_PORT": str(_free_port()),
            # In a container its own network is around it. Here nothing opens a port to others.
            "CAVES_METRICS_HOST": "127.0.0.1",
        }
        (entrypoint,) = (json.loads(rest) for word, rest in stack.instructions() if word == "ENTRYPOINT")
        command = [*entrypoint, *map(interpolated, service["command"])]
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE)
        running.append(Container(process, environment))
        return running[-1]

    yield run
    for container in running:
        container.process.kill()
        container.process.communicate()


def _allowing_the_images_packages() -> str:
    lines = (INGEST / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return f"ALLOWED = {[line for line in lines if line and line[0] != '#']}\n{_AS_IN_THE_IMAGE}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.3)


def test_the_shop_and_the_ingestor_of_the_compose_file_load_events_and_are_healthy(start: Start) -> None:
    shop, ingestor = start("producer"), start("ingestor")
    eventually(ingestor.is_healthy)
    eventually(lambda: ingestor.samples()["caves_ingest_messages_total"] >= 100)
    assert shop.process.poll() is None
    assert shop.stop() == 0
    assert ingestor.stop() == 0
    assert not ingestor.is_healthy()


def test_the_shop_does_not_import_what_the_image_lacks(tmp_path: Path) -> None:
    """The bar that the other tests rely on is there."""
    (tmp_path / "sitecustomize.py").write_text(_allowing_the_images_packages(), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for module in ("duckdb", "pandas", "snowflake.snowpark", "snowflake.cli"):
        done = subprocess.run(
            [sys.executable, "-c", f"import {module}"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert f"the image has no {module}" in done.stderr


def test_the_statement_of_the_page_runs(warehouse: LocalWarehouse) -> None:
    page = stack.PAGE.read_text(encoding="utf-8")
    (statement,) = re.findall(r"^```sql\n(.*?);\n```", page, re.MULTILINE | re.DOTALL)
    with warehouse.session() as ask:
        assert ask(statement) == []


@pytest.mark.skipif(PROMETHEUS is None, reason="Prometheus is not installed (apt-get install prometheus)")
def test_prometheus_itself_scrapes_it_and_answers_every_panel_and_rule(start: Start, tmp_path: Path) -> None:
    start("producer")
    ingestor = start("ingestor")
    configuration = stack.read_yaml(MONITORING / "prometheus.local.yml")
    configuration["rule_files"] = [str(MONITORING / "alerts.yml")]
    configuration["global"].update(scrape_interval="1s", scrape_timeout="1s", evaluation_interval="1s")
    (job,) = configuration["scrape_configs"]
    job["static_configs"] = [{"targets": [ingestor.url.removeprefix("http://")]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    address = f"127.0.0.1:{_free_port()}"
    command = [str(PROMETHEUS), f"--config.file={tmp_path}/prometheus.yml", f"--web.listen-address={address}"]
    with subprocess.Popen(
        [*command, f"--storage.tsdb.path={tmp_path}/data"], stderr=subprocess.DEVNULL
    ) as prometheus:
        try:
            _look(f"http://{address}")
        finally:
            prometheus.terminate()


def _look(url: str) -> None:
    def ask(path: str, **parameters: str) -> Any:
        with urlopen(f"{url}/api/v1/{path}?{urlencode(parameters)}", timeout=20) as answer:
            return json.load(answer)["data"]

    def result(expression: str) -> list[Any]:
        shown = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
        found: list[Any] = ask("query", query=shown)["result"]
        return found

    def loaded() -> bool:
        try:
            return bool(result("rate(caves_ingest_messages_total[1m]) > 0"))
        except OSError:
            return False

    eventually(loaded)
    for panel in stack.panels():
        for target in panel["targets"]:
            assert result(target["expr"]), panel["title"]
    calm = {rule["alert"]: ("ok", "inactive") for rule in stack.rules()}

    def all_is_calm() -> bool:
        (group,) = ask("rules")["groups"]
        return {rule["name"]: (rule["health"], rule["state"]) for rule in group["rules"]} == calm

    eventually(all_is_calm)
