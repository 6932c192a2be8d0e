"""The Apache Kafka of these tests: fetched once, and its log outlives it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.apache_kafka import jars
from tests.faults.apache_kafka.cluster import KafkaCluster
from tests.faults.conftest import Flow
from tests.faults.coordinates import coordinates_in_log


@pytest.mark.kafka
def test_two_that_fetch_the_jars_at_once_get_one_whole_folder(
    kafka_is_here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        folders = {future.result() for future in [pool.submit(jars.jars) for _ in range(2)]}
    (folder,) = folders
    assert (folder / f"kafka_2.13-{jars.version()}.jar").is_file()
    # Nothing is left of the drafts.
    assert list(folder.parent.iterdir()) == [folder]


def test_machine_without_maven_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(jars.KafkaUnavailable, match="there is no mvn"):
        jars.jars()


def test_machine_without_java_or_with_an_old_one_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(jars.KafkaUnavailable, match="there is no Java"):
        jars.java()
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n", encoding="utf-8")
    old.chmod(0o700)
    with pytest.raises(jars.KafkaUnavailable, match=r'too old \(openjdk version "11.0.2"'):
        jars.java()


@pytest.mark.kafka
def test_log_is_whole_after_kill_9_of_the_broker(one_node: KafkaCluster, flow: Flow) -> None:
    flow.produce(3_000)
    before = coordinates_in_log(one_node.bootstrap, flow.topic)
    one_node.kill()
    one_node.start()
    assert coordinates_in_log(one_node.bootstrap, flow.topic) == before
    assert before.total() == 3_000


@pytest.mark.kafka
def test_retention_moves_the_beginning_of_the_log(one_node: KafkaCluster, flow: Flow) -> None:
    flow.produce(1_000)
    begun = one_node.bounds(flow.topic)
    one_node.delete_records(flow.topic, {0: 5})
    assert one_node.bounds(flow.topic) == {**begun, 0: (5, begun[0][1])}
