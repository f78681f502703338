"""Names, versions, ports and folders that a user may give."""

import socket
from pathlib import Path

import pytest

from localkube import NEWEST, PINNED, Localkube, LocalkubeError, find_version
from localkube.cli import main
from localkube.errors import PortTaken, UnknownVersion
from localkube.layout import default_state
from localkube.settings import PORTS, Settings, assign_ports, reserved_ports, save


@pytest.mark.parametrize("wanted", ["1.37.2", "v1.37.2", "1.37"])
def test_a_version_may_be_shortened(wanted: str):
    assert find_version(wanted).kubernetes == "1.37.2"


def test_the_newest_version_is_the_default_and_the_environment_may_change_it():
    assert find_version(environment={}) == NEWEST
    assert find_version(environment={"KUBE_VERSION": "1.34"}) == PINNED[-1]


def test_a_version_that_is_not_pinned_is_refused_with_those_that_are():
    with pytest.raises(UnknownVersion, match=r"1\.37\.2, 1\.34\.4"):
        find_version("1.20")


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "..", "-a", "a" * 60])
def test_a_name_that_could_be_a_path_is_refused(name: str):
    with pytest.raises(LocalkubeError, match="lower-case"):
        Localkube(name)


def test_state_is_kept_with_the_project_where_there_is_one(tmp_path: Path):
    assert default_state({"XDG_STATE_HOME": "/state"}, tmp_path) == Path("/state/localkube")
    (tmp_path / ".dev").mkdir()
    assert default_state({}, tmp_path) == tmp_path / ".dev/localkube"
    assert default_state({"LOCALKUBE_STATE": "/elsewhere"}, tmp_path) == Path("/elsewhere")


def test_a_port_in_use_is_refused_by_its_number():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            assign_ports(Settings("x", NEWEST.kubernetes, 0), port)


def test_no_two_servers_of_a_cluster_share_a_port():
    settings = Settings("x", NEWEST.kubernetes, 0)
    assign_ports(settings, 0)
    ports = [settings.port, *settings.ports.values()]
    assert len(set(ports)) == len(ports)


def test_a_port_of_a_cluster_that_is_down_stays_its_own(tmp_path: Path):
    down = Settings("down", NEWEST.kubernetes, 0)
    assign_ports(down, 0)
    save(down, tmp_path / "cluster.json")
    everything_else = set(PORTS) - {down.port}
    with pytest.raises(PortTaken, match="no port"):
        assign_ports(
            Settings("x", NEWEST.kubernetes, 0),
            0,
            {*everything_else, *reserved_ports([tmp_path / "cluster.json"])},
        )


def test_a_cluster_that_was_never_started_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["status", "--name", "absent", "--state", str(tmp_path)]) == 1
    assert "no cluster 'absent'" in capsys.readouterr().err


def test_damaged_settings_are_reported_with_their_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/cluster.json").write_text("{")
    assert main(["status", "--name", "broken", "--state", str(tmp_path)]) == 1
    assert "cluster.json is damaged" in capsys.readouterr().err


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]):
    for command in ("up", "down", "status", "list", "kubectl", "images", "build", "cleanup"):
        with pytest.raises(SystemExit) as left:
            main([command, "--help"])
        assert left.value.code == 0
        assert f"localkube {command}" in capsys.readouterr().out


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_cannot_be_is_refused(port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["up", "--control-plane-only", "--state", str(tmp_path), "--port", port]) == 1
    assert f"port {port} cannot be" in capsys.readouterr().err


def test_a_state_folder_that_is_a_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").touch()
    assert main(["down", "--state", str(tmp_path / "file")]) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err
