"""Control planes: several at once, restarted after crashes, without root, gone when they are taken down."""

import encodings.idna  # noqa: F401 - loaded before the unprivileged child, which may not read it
import multiprocessing
import os
import shutil
import ssl
import stat
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localkube import Localkube
from localkube.cleanup import clean_up
from localkube.errors import NodeRefused, NotRunning, PortTaken, StateMismatch
from localkube.process import MARKER, kill_marked
from localkube.procfs import with_environment
from localkube.toolset import PROGRAMS

pytestmark = pytest.mark.kubernetes
Start = Callable[..., Localkube]
Kubectl = Callable[..., str]
NOBODY = 65534


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localkube]:
    """A control plane for the tests that do not harm it."""
    standing = Localkube("standing", tmp_path_factory.mktemp("standing"), control_plane_only=True)
    standing.up()
    yield standing
    standing.down(delete=True)


def test_two_control_planes_stand_side_by_side(start: Start, kubectl: Kubectl, cluster: Localkube):
    other = start("other")
    assert other.url != cluster.url
    kubectl(other, "create", "configmap", "only-there")
    assert "only-there" in kubectl(other, "get", "configmaps", "-o", "name")
    assert "only-there" not in kubectl(cluster, "get", "configmaps", "-o", "name")


def test_up_again_leaves_what_runs_and_restarts_what_died(start: Start, kubectl: Kubectl):
    cluster = start("again")
    kubectl(cluster, "create", "configmap", "kept")
    before = {component.name: component.pid for component in cluster.status().components}
    cluster.stop_component("kube-scheduler", hard=True)
    assert cluster.status().problem == "not running: kube-scheduler"
    after = {component.name: component.pid for component in cluster.up().components}
    assert [name for name in before if before[name] != after[name]] == ["kube-scheduler"]
    assert kubectl(cluster, "get", "configmap", "kept", "-o", "name") == "configmap/kept"


def test_the_api_server_is_stopped_and_started_alone(start: Start, kubectl: Kubectl):
    cluster = start("alone")
    cluster.stop_component("kube-apiserver", hard=True)
    with pytest.raises(NotRunning, match="kube-apiserver"):
        cluster.stop_component("kube-apiserver")
    assert not cluster.status().ready
    cluster.start_component("kube-apiserver")
    assert cluster.status().ready


def test_a_crash_of_everything_loses_no_data_and_leaves_nothing(start: Start, kubectl: Kubectl):
    cluster = start("crash")
    kubectl(cluster, "create", "configmap", "kept")
    assert len(kill_marked(cluster.layout.root)) == len(cluster.status().components)
    assert not cluster.status().running
    cluster.up()
    assert kubectl(cluster, "get", "configmap", "kept", "-o", "name") == "configmap/kept"
    cluster.down()
    assert with_environment(MARKER, str(cluster.layout.root)) == []
    cluster.up()
    assert kubectl(cluster, "get", "configmap", "kept", "-o", "name") == "configmap/kept"


def test_cleanup_ends_a_cluster_whose_folder_was_deleted(start: Start):
    cluster = start("deleted")
    shutil.rmtree(cluster.layout.root)
    assert any(str(cluster.layout.root) in line for line in clean_up())
    assert with_environment(MARKER, str(cluster.layout.root)) == []


def test_users_come_with_their_groups_and_their_file_is_private(cluster: Localkube, kubectl: Kubectl):
    kubeconfig = cluster.user_kubeconfig("bob", ["developers"])
    assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
    who = kubectl(cluster, "auth", "whoami", "-o", "jsonpath={.status.userInfo}", kubeconfig=kubeconfig)
    assert '"username":"bob"' in who
    assert '"developers"' in who


def test_etcd_answers_nobody_without_a_certificate(cluster: Localkube):
    trusting = ssl.create_default_context(cafile=str(cluster.layout.pki / "etcd-ca.crt"))
    with pytest.raises(OSError, match=r"certificate required|reset|EOF|alert"):
        urllib.request.urlopen(
            f"https://127.0.0.1:{cluster.settings.ports['etcd']}/version", context=trusting, timeout=5
        )


def test_a_cluster_keeps_its_version_and_port(cluster: Localkube):
    state = cluster.layout.root.parent
    other = "1.34" if cluster.settings.version.startswith("1.37") else "1.37"
    with pytest.raises(StateMismatch, match=cluster.settings.version):
        Localkube(cluster.name, state, other, control_plane_only=True).up()
    with pytest.raises(StateMismatch, match=str(cluster.settings.port)):
        Localkube(cluster.name, state, port=cluster.settings.port + 1, control_plane_only=True).up()


def test_a_port_of_another_server_is_refused(cluster: Localkube, tmp_path: Path):
    taken = cluster.settings.port
    with pytest.raises(PortTaken, match=str(taken)):
        Localkube("second", tmp_path, port=taken, control_plane_only=True).up()


@pytest.fixture
def nobodys_folder(cluster: Localkube, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of an unprivileged user with the programs of Kubernetes on its PATH."""
    program = cluster.kubectl.resolve()
    folder = Path(tempfile.mkdtemp(prefix="localkube-nobody-"))
    shutil.copy(program, folder / program.name)
    (folder / "bin").mkdir()
    for name in PROGRAMS:
        (folder / "bin" / name).symlink_to(folder / program.name)
    folder.chmod(0o755)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(variable, str(folder))
    monkeypatch.setenv("PATH", f"{folder}/bin:/usr/bin:/bin")
    monkeypatch.delenv("LOCALKUBE_ASSETS", raising=False)
    yield folder
    shutil.rmtree(folder)


def test_without_root_a_control_plane_runs_and_a_node_is_refused(nobodys_folder: Path):
    if program_folder_is_mixed(nobodys_folder):
        pytest.skip("the programs here are not one executable, which this test copies for another user")
    ready, refusal = unprivileged(nobodys_folder)
    assert ready is True
    assert "a node needs root" in refusal
    assert "--control-plane-only" in refusal


def program_folder_is_mixed(folder: Path) -> bool:
    """Whether the copied program does not act as all of Kubernetes."""
    return not (folder / "hyperkube").exists()


def unprivileged(folder: Path) -> tuple[bool, str]:
    """Start a control plane and try a node as nobody; gives whether the one is ready, and the refusal."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def run() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        cluster = Localkube("plain", folder / "clusters", control_plane_only=True)
        ready = cluster.up().ready
        try:
            Localkube("plain", folder / "clusters").up()
            refusal = "no refusal"
        except NodeRefused as refused:
            refusal = str(refused)
        cluster.down(delete=True)
        sender.send((ready, refusal))

    child = context.Process(target=run)
    child.start()
    try:
        assert receiver.poll(90), "the unprivileged child gave no answer"
        return receiver.recv()
    finally:
        child.join(10)
        child.kill()
