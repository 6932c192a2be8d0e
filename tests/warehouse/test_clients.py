"""How a client that is gone is told from one that is idle."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from snowcellar import clients
from snowcellar.clients import Address, Clients

HERE: Address = ("127.0.0.1", 1)
THERE: Address = ("127.0.0.1", 2)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [0.0]
    monkeypatch.setattr("snowcellar.clients.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_client_is_gone_when_its_connections_have_been_closed_for_a_while(clock: list[float]) -> None:
    connected = {HERE, THERE}
    seen = Clients(lambda: connected)
    seen.note("token", HERE)
    seen.note("token", THERE)
    connected.remove(HERE)
    assert seen.may_return("token")
    connected.clear()
    assert seen.may_return("token"), "it may connect anew"
    clock[0] += clients.GRACE_SECONDS
    assert not seen.may_return("token")
    assert seen.may_return("token", clients.FORGOTTEN_SECONDS)


def test_a_client_that_comes_back_is_there(clock: list[float]) -> None:
    connected: set[Address] = set()
    seen = Clients(lambda: connected)
    seen.note("token", HERE)
    assert seen.may_return("token")
    clock[0] += clients.GRACE_SECONDS
    connected.add(THERE)
    seen.note("token", THERE)
    assert seen.may_return("token")
    connected.clear()
    assert seen.may_return("token"), "the while begins anew"


def test_nobody_can_tell_for_a_session_that_no_client_opened() -> None:
    assert Clients(set).may_return("a task's")
