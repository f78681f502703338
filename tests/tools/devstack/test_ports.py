"""A taken port is found before anything starts, and named with what would help."""

import os
import socket

import pytest

from devstack.ports import free_port, holder, is_free
from devstack.report import Report
from devstack.settings import Ports, Settings
from devstack.stack import Stack
from devstack.steps import StepFailed


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_somebody_listens_on_is_not_free(taken):
    assert not is_free(taken)
    assert is_free(free_port())


def test_the_holder_of_a_port_is_known(taken):
    by = holder(taken)
    assert by is not None
    assert by.pid == os.getpid()
    assert by.listens


def test_a_port_of_an_outgoing_connection_is_said_to_be_one(taken):
    with socket.create_connection(("127.0.0.1", taken)) as connection:
        port = connection.getsockname()[1]
        assert not is_free(port)
        assert f"an outgoing connection of pid {os.getpid()}" in str(holder(port))


def test_up_names_the_taken_port_its_setting_and_its_holder(tmp_path, taken, capsys):
    ports = {name: free_port() for name in ("gateway", "console", "openldap")} | {"redis": taken}
    stack = Stack(Settings(state=tmp_path / "state", ports=Ports(**ports), node=False), Report())
    with pytest.raises(StepFailed) as failed:
        stack.up()
    text = str(failed.value)
    assert f"port {taken} (redis)" in text
    assert f"pid {os.getpid()}" in text
    assert "REDIS_PORT" in text
    assert "KS_PORT_REDIS" in text
    assert "✗ ports" in capsys.readouterr().out
