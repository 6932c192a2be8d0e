"""The compose file, as far as it can be checked where no container runs."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.core import TyperGroup

from caves_cli.main import app
from tests.monitoring import stack
from tests.monitoring.stack import COMPOSE_FILE, INGEST, MONITORING

SECRETS_FOLDER: Final = "/run/secrets/"
COMMANDS: Final = ("producer", "ingestor")
each_service = pytest.mark.parametrize("name", sorted(stack.services()))


def command_of(name: str) -> Any:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group.commands[name]


def variables_of(command: str) -> set[str]:
    """The environment variables that `caves COMMAND` reads."""
    return {str(parameter.envvar) for parameter in command_of(command).params if parameter.envvar}


def interpolated(text: str) -> str:
    """As compose fills in what has a default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def is_healthy_by_itself(name: str) -> bool:
    service = stack.services()[name]
    own = service.get("healthcheck", {})
    return "test" in own or ("build" in service and not own.get("disable", False))


def test_it_is_a_compose_file_by_the_official_schema() -> None:
    checker = Path(sys.prefix) / "bin/check-jsonschema"
    done = subprocess.run(
        [str(checker), "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_has_the_services_that_it_promises() -> None:
    expected = {"redpanda", "console", "producer", "ingestor", "prometheus", "grafana"}
    assert stack.services().keys() == expected


@each_service
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    assert re.search(r":v?\d+\.\d+\.\d+$", stack.services()[name]["image"])


@each_service
def test_a_service_can_do_no_more_than_it_needs(name: str) -> None:
    service = stack.services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    # rpk writes Redpanda's configuration when it starts.
    assert service.get("read_only", False) or name == "redpanda"
    assert "privileged" not in service
    assert service.get("network_mode") is None


@each_service
def test_a_port_is_open_to_this_machine_only_and_can_be_changed(name: str) -> None:
    for port in stack.services()[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{CAVES_[A-Z]+_PORT:-\d+\}:\d+", port)


def test_no_password_and_no_secret_file_has_a_default() -> None:
    # PITFALLS 33.
    text = COMPOSE_FILE.read_text(encoding="utf-8")
    for name, rest in re.findall(r"\$\{(\w+)([^}]*)\}", text):
        if re.search("PASSWORD|KEY|CONNECTIONS", name):
            assert rest.startswith(":?"), name
    for service in stack.services().values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET", name):
                assert value.startswith("${")
    for secret in stack.compose()["secrets"].values():
        assert secret["file"].startswith("${")


@each_service
def test_a_service_starts_when_what_it_needs_is_healthy(name: str) -> None:
    for needed, how in stack.services()[name].get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert is_healthy_by_itself(needed)


def test_every_service_says_whether_it_is_healthy_but_the_one_that_has_no_port() -> None:
    assert {name for name in stack.services() if not is_healthy_by_itself(name)} == {"producer"}


@each_service
def test_what_a_service_mounts_is_there_and_read_only(name: str) -> None:
    # PITFALLS 34.
    declared = stack.compose()["volumes"]
    for volume in stack.services()[name].get("volumes", []):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            assert (INGEST / source).exists()
            assert mode == ["ro"]
        else:
            assert source in declared
        assert target.startswith("/")


@each_service
def test_networks_and_secrets_are_declared(name: str) -> None:
    service = stack.services()[name]
    assert set(service["networks"]) <= stack.compose()["networks"].keys()
    assert set(service.get("secrets", [])) <= stack.compose()["secrets"].keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_and_its_flags_are_accepted_by_the_command_line(name: str) -> None:
    # PITFALLS 34.
    command, *arguments = map(interpolated, stack.services()[name]["command"])
    context = command_of(command).make_context(command, arguments)
    assert {"events": 0, "rate": 20.0}.items() <= context.params.items() or command == "ingest"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_environment_is_read_by_the_command(name: str) -> None:
    # PITFALLS 34.
    service = stack.services()[name]
    assert service["environment"].keys() <= variables_of(service["command"][0])


def test_the_ingestor_finds_its_connection_among_the_secrets() -> None:
    ingestor = stack.services()["ingestor"]
    mounted = {SECRETS_FOLDER + secret for secret in ingestor["secrets"]}
    # The name decides how the file is read: tables [NAME], as Snowflake documents.
    assert ingestor["environment"]["CAVES_CONFIG_FILE"] == f"{SECRETS_FOLDER}connections.toml"
    named = re.findall(rf"{SECRETS_FOLDER}[\w.]+", stack.PAGE.read_text(encoding="utf-8"))
    assert {ingestor["environment"]["CAVES_CONFIG_FILE"], *named} == mounted


def test_prometheus_is_given_what_its_command_and_its_configuration_name() -> None:
    prometheus = stack.services()["prometheus"]
    mounts = {target: source for source, target, *_ in (v.split(":") for v in prometheus["volumes"])}
    arguments = dict(argument.split("=", 1) for argument in prometheus["command"])
    configuration = arguments["--config.file"]
    assert INGEST / mounts[configuration] == MONITORING / "prometheus.yml"
    assert arguments["--storage.tsdb.path"] in mounts
    for rule_file in stack.read_yaml(MONITORING / "prometheus.yml")["rule_files"]:
        assert str(Path(configuration).with_name(rule_file)) in mounts


def test_services_that_speak_to_each_other_share_a_network_and_a_port() -> None:
    services = stack.services()
    (found,) = stack.scrape_config()["dns_sd_configs"]
    (scraped,) = found["names"]
    assert set(services[scraped]["networks"]) & set(services["prometheus"]["networks"])
    assert str(found["port"]) == stack.image_environment()["CAVES_METRICS_PORT"]
    source = stack.read_yaml(MONITORING / "grafana/provisioning/datasources/prometheus.yml")["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    assert set(services["grafana"]["networks"]) & set(services["prometheus"]["networks"])
    for name in (*COMMANDS, "console"):
        environment = services[name]["environment"]
        assert environment.get("CAVES_BOOTSTRAP", environment.get("KAFKA_BROKERS")) == "redpanda:9092"
        assert set(services[name]["networks"]) & set(services["redpanda"]["networks"])


def test_the_two_prometheus_files_differ_in_where_the_ingestor_is_and_in_nothing_else() -> None:
    local = stack.read_yaml(MONITORING / "prometheus.local.yml")
    (job,) = local.pop("scrape_configs")
    container = stack.read_yaml(MONITORING / "prometheus.yml")
    del container["scrape_configs"]
    assert local == container
    kept = {key: value for key, value in job.items() if key != "static_configs"}
    assert kept == {key: value for key, value in stack.scrape_config().items() if key != "dns_sd_configs"}


def test_every_variable_is_on_the_page_and_the_page_names_no_other() -> None:
    # PITFALLS 34.
    used = set(re.findall(r"\$\{(\w+)", COMPOSE_FILE.read_text(encoding="utf-8")))
    named = set(re.findall(r"\b((?:CAVES|GRAFANA)_[A-Z_]+)\b", stack.PAGE.read_text(encoding="utf-8")))
    # The database's name is no variable.
    assert named - {"CAVES_ALBERT_DB"} == used
