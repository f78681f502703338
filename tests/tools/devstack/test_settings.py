"""Settings are remembered, and what is wrong with one is said."""

from dataclasses import asdict
from pathlib import Path

import pytest

from devstack import settings as choices
from devstack.cli import _chosen, _parser
from devstack.settings import Ports, Settings, SettingsError


def chosen(*argv: str) -> Settings:
    return _chosen(_parser().parse_args(["up", *argv]))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KS_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_the_first_choice_is_the_flag_then_the_environment_then_what_is_remembered(state, monkeypatch):
    choices.remember(Settings(state=state, ports=Ports(gateway=1111, console=1112, redis=1113)))
    monkeypatch.setenv("KS_PORT_CONSOLE", "2222")
    monkeypatch.setenv("KS_PORT_GATEWAY", "2223")
    ports = chosen("--port", "GATEWAY=3333").ports
    assert (ports.gateway, ports.console, ports.redis) == (3333, 2222, 1113)
    assert ports.prometheus == Ports().prometheus


def test_all_of_it_survives_being_remembered(state):
    wanted = Settings(state=state, kubeconfig=Path("/some/where"), node=False, mariadb=True)
    choices.remember(wanted)
    assert choices.remembered(state) == wanted


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("nowhere=1", "no port called nowhere"),
        ("gateway=http", "gateway must be between 1 and 65535, not 'http'"),
        ("gateway=0", "between 1 and 65535"),
        ("gateway", "must be NAME=PORT"),
    ],
)
def test_a_wrong_port_is_named(state, given, told):
    with pytest.raises(SettingsError, match=told):
        chosen("--port", given)


def test_a_variable_with_a_wrong_port_is_named(state, monkeypatch):
    monkeypatch.setenv("KS_PORT_REDIS", "many")
    with pytest.raises(SettingsError, match=r"the environment: the port REDIS .* not 'many'"):
        chosen()


def test_two_settings_with_one_port_are_refused():
    with pytest.raises(SettingsError, match="gateway and console are both 5000"):
        choices.check_ports(Ports(gateway=5000, console=5000))


@pytest.mark.parametrize("offset", ["70000", "-5000"])
def test_an_offset_that_leads_to_ports_that_cannot_be_is_refused(state, offset):
    with pytest.raises(SettingsError, match="the port gateway would be"):
        choices.check_ports(chosen("--port-offset", offset).ports)


def test_a_kubeconfig_that_is_missing_is_refused_before_anything_starts(state):
    with pytest.raises(SettingsError, match="--kubeconfig /nowhere: there is no such file"):
        chosen("--kubeconfig", "/nowhere")


def test_a_state_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="file is no folder"):
        choices.remembered(tmp_path / "file")


def test_no_default_port_can_be_taken_by_an_outgoing_connection():
    assert all(1024 < port < 32768 for port in asdict(Ports()).values())


def test_an_offset_moves_every_port(state):
    assert chosen("--port-offset", "100").ports == Ports().shifted(100)
    assert Ports().shifted(100).gateway == Ports().gateway + 100


def test_damaged_settings_are_named_with_their_file(state):
    state.mkdir()
    (state / "settings.json").write_text("{")
    with pytest.raises(SettingsError, match=r"settings\.json cannot be used"):
        choices.remembered(state)
