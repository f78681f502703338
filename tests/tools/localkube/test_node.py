"""A node: pods run as on any cluster, only one node at a time, and nothing stays behind."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localkube import Localkube, PlainProgress
from localkube.errors import NodeHeld, NodeRefused, SocketTaken
from localkube.node import leftovers, machine
from localkube.node.archive import Image, write_archive
from localkube.node.containerd import refuse_foreign
from localkube.packages import missing
from localkube.process import MARKER, kill_marked
from localkube.procfs import with_environment

pytestmark = [pytest.mark.kubernetes, pytest.mark.node, pytest.mark.timeout(240)]
Kubectl = Callable[..., str]

PODS = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: web
      image: localkube/busybox:1
      command: [sh, -c, "echo served from a volume > /data/index.html; exec httpd -f -p 8080 -h /data"]
      volumeMounts: [{name: data, mountPath: /data}]
      readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shell}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    # Arguments alone, as `kubectl run NAME --image=... -- sh -c ...` gives them, take the place of the shell.
    - {name: shell, image: "localkube/busybox:1", args: [sh, -c, "echo ready for orders; sleep 3600"]}
"""


@pytest.fixture(scope="module")
def forwarding_dropped() -> Iterator[None]:
    """The machine as Docker leaves it: whatever is forwarded is dropped unless a rule says otherwise."""
    if shutil.which("iptables") is None or os.geteuid() != 0:
        yield
        return
    policy = iptables("--list-rules", "FORWARD").splitlines()[0].split()[-1]
    iptables("--policy", "FORWARD", "DROP")
    yield
    left = iptables("--list-rules", "FORWARD")
    iptables("--policy", "FORWARD", policy)
    assert "localkube" not in left


def iptables(*arguments: str) -> str:
    return subprocess.run(["iptables", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def cluster(forwarding_dropped: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localkube]:
    """A cluster with a node and a few pods."""
    if os.geteuid() != 0:
        pytest.skip("a node needs root")
    if missing():
        pytest.skip(f"not installed: {', '.join(package.name for package in missing())}")
    cluster = Localkube("pods", tmp_path_factory.mktemp("node"), progress=PlainProgress())
    try:
        cluster.up()
    except NodeHeld as held:
        pytest.skip(str(held))
    path = cluster.layout.root / "pods.yaml"
    path.write_text(PODS)
    run(cluster, "apply", "-f", str(path))
    run(cluster, "wait", "--for=condition=Ready", "pod/web", "pod/shell", "--timeout=60s")
    yield cluster
    cluster.down(delete=True)


def run(cluster: Localkube, *arguments: str) -> str:
    """What kubectl prints as the administrator."""
    command = [cluster.kubectl, "--kubeconfig", cluster.kubeconfig, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert result.returncode == 0, f"kubectl {' '.join(arguments)}: {result.stderr}{result.stdout}"
    return result.stdout.strip()


def test_a_pod_logs_and_takes_commands(cluster: Localkube):
    assert run(cluster, "logs", "shell") == "ready for orders"
    assert run(cluster, "exec", "shell", "--", "sh", "-c", "echo $((6 * 7))") == "42"


def test_a_pod_finds_a_service_by_name_and_reads_from_a_bound_volume(cluster: Localkube):
    assert run(cluster, "get", "pvc", "data", "-o", "jsonpath={.status.phase}") == "Bound"
    address = run(cluster, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    assert address in run(cluster, "exec", "shell", "--", "nslookup", "web.default.svc.cluster.local")
    assert run(cluster, "exec", "shell", "--", "wget", "-qO-", "http://web") == "served from a volume"


def test_a_pod_reaches_itself_through_its_service(cluster: Localkube):
    # The bare name is the pod's own, in its hosts file.
    fetch = ("timeout", "5", "wget", "-qO-", "http://web.default.svc.cluster.local")
    assert run(cluster, "exec", "web", "--", *fetch) == "served from a volume"


def test_this_machine_reaches_services_and_node_ports(cluster: Localkube):
    web = json.loads(run(cluster, "get", "service", "web", "-o", "json"))["spec"]
    node_port = f"{cluster.settings.node_address}:{web['ports'][0]['nodePort']}"
    for address in (web["clusterIP"], node_port):
        fetched = subprocess.check_output(
            ["timeout", "5", "busybox", "wget", "-qO-", f"http://{address}"], text=True
        )
        assert fetched.strip() == "served from a volume"


def test_pods_reach_what_the_control_plane_tells_of_itself(cluster: Localkube):
    for name in ("etcd", "kube-scheduler", "kube-controller-manager"):
        address = (cluster.settings.node_address, str(cluster.settings.ports[name]))
        run(cluster, "exec", "shell", "--", "sh", "-c", 'timeout 5 nc "$0" "$1" </dev/null', *address)


def test_another_machine_reaches_neither_the_control_plane_nor_the_node(
    cluster: Localkube, another_machine: Callable[..., bool]
):
    listener = socket.create_server(("0.0.0.0", 0))
    with listener:
        assert another_machine(listener.getsockname()[1])
    settings = cluster.settings
    names = ("etcd", "kube-scheduler", "kube-controller-manager")
    for port in (settings.port, *(settings.ports[name] for name in names)):
        assert not another_machine(port)


CONNECT = """
import socket, sys
try:
    socket.create_connection(("198.51.100.1", int(sys.argv[1])), 1)
except OSError:
    sys.exit(1)
"""


@pytest.fixture
def another_machine() -> Iterator[Callable[[int], bool]]:
    """Whether a machine at the other end of a cable reaches a port of this one."""
    # It says when it has left: until then a cable to it would end here.
    away = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE)
    assert away.stdout is not None
    away.stdout.readline()
    try:
        for command in (
            "ip link add cable0 type veth peer name cable1",
            f"ip link set cable1 netns {away.pid}",
            "ip address add 198.51.100.1/30 dev cable0",
            "ip link set cable0 up",
            f"nsenter --net --target {away.pid} ip address add 198.51.100.2/30 dev cable1",
            f"nsenter --net --target {away.pid} ip link set cable1 up",
        ):
            subprocess.run(command.split(), check=True, timeout=5)
        there = ("nsenter", "--net", "--target", str(away.pid), sys.executable, "-c", CONNECT)
        yield lambda port: subprocess.run([*there, str(port)], check=False).returncode == 0
    finally:
        away.kill()
        away.communicate()


def test_the_kubelet_measures_each_container(cluster: Localkube):
    path = f"/api/v1/nodes/{cluster.settings.node_name}/proxy/metrics/cadvisor"
    deadline = time.monotonic() + 60
    while 'container="web"' not in run(cluster, "get", "--raw", path):
        assert time.monotonic() < deadline, "cAdvisor never told of container web"
        time.sleep(1)


def test_an_image_is_imported_and_runs(cluster: Localkube, tmp_path: Path):
    busybox = Path("/bin/busybox")
    image = Image("tests/greeting:1", ["/busybox", "echo", "imported"], files={"busybox": busybox})
    write_archive(image, tmp_path / "image.tar")
    cluster.import_image(tmp_path / "image.tar")
    assert "tests/greeting:1" in cluster.images()
    run(cluster, "run", "greeting", "--image=tests/greeting:1", "--restart=Never")
    run(cluster, "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/greeting", "--timeout=30s")
    assert run(cluster, "logs", "greeting") == "imported"


def test_a_second_node_is_refused_with_the_name_of_the_first(cluster: Localkube, tmp_path: Path):
    second = Localkube("second", tmp_path)
    try:
        with pytest.raises(NodeHeld, match="'pods'") as held:
            second.up()
        assert held.value.holder == "pods"
    finally:
        second.down(delete=True)
    assert cluster.status().ready


@pytest.mark.usefixtures("cluster")
def test_a_foreign_containerd_is_named():
    with pytest.raises(SocketTaken, match=r"containerd\.sock is held by process \d+ \(.*containerd"):
        refuse_foreign(own_pid=None)


def test_pods_live_on_when_the_kubelet_and_containerd_are_restarted(cluster: Localkube):
    before = run(cluster, "get", "pod", "web", "-o", "jsonpath={.status.containerStatuses[0].containerID}")
    for name in ("kubelet", "containerd"):
        cluster.stop_component(name, hard=True)
    cluster.stop_component("kube-proxy")
    assert cluster.status().problem == "not running: containerd, kubelet, kube-proxy"
    cluster.start_component("containerd")
    assert cluster.up().ready
    # The name server may be out of its Service for as long as the kubelet has not looked at it again.
    fetch = ("timeout", "60", "sh", "-c", "until wget -qO- http://web; do sleep 1; done")
    assert run(cluster, "exec", "shell", "--", *fetch) == "served from a volume"
    after = run(cluster, "get", "pod", "web", "-o", "jsonpath={.status.containerStatuses[0].containerID}")
    assert after == before


def test_after_a_crash_pods_come_back_with_their_data_and_down_leaves_nothing(cluster: Localkube):
    crash(cluster)
    assert not cluster.status().running
    cluster.up()
    run(cluster, "wait", "--for=condition=Ready", "pod/web", "pod/shell", "--timeout=60s")
    assert run(cluster, "exec", "web", "--", "cat", "/data/index.html") == "served from a volume"
    crash(cluster)
    cluster.down()
    assert traces(cluster) == []


def test_down_leaves_nothing_and_up_brings_the_pods_back(cluster: Localkube):
    cluster.up()
    cluster.down()
    assert traces(cluster) == []
    cluster.up()
    run(cluster, "wait", "--for=condition=Ready", "pod/web", "pod/shell", "--timeout=60s")
    assert run(cluster, "exec", "web", "--", "cat", "/data/index.html") == "served from a volume"


def test_a_range_that_the_machine_routes_elsewhere_is_refused(tmp_path: Path):
    subprocess.run(["ip", "route", "add", "10.197.0.0/16", "dev", "lo"], check=True)
    other = Localkube("routes", tmp_path, control_plane_only=True, pod_range="10.197.0.0/16")
    try:
        with pytest.raises(NodeRefused, match=r"10\.197\.0\.0/16 is routed to lo"):
            other.up()
    finally:
        subprocess.run(["ip", "route", "delete", "10.197.0.0/16", "dev", "lo"], check=True)
        other.down(delete=True)


def crash(cluster: Localkube) -> None:
    """Kill every process of the cluster and of its containers at once."""
    kill_marked(cluster.layout.root)
    leftovers.kill_contained()


def traces(cluster: Localkube) -> list[str]:
    """What a cluster that is down must not have left on the machine."""
    own = (str(machine.RUN), str(machine.DATA), str(cluster.layout.root), "/run/containerd", "/run/netns")
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    tables = subprocess.check_output(["nft", "list", "tables"], text=True).splitlines()
    links = subprocess.check_output(["ip", "-brief", "link"], text=True).splitlines()
    routes = subprocess.check_output(["ip", "route"], text=True).splitlines()
    ours = (cluster.settings.pod_range, cluster.settings.service_range, "10.244.")
    folders = (machine.CONTAINERD_STATE, machine.KUBELET_ROOT, machine.PROVISIONED_VOLUMES, machine.ADDRESSES)
    return [
        *(f"process {pid}" for pid in with_environment(MARKER, str(cluster.layout.root))),
        *(f"in a container: {command}" for command in leftovers.containers_of_other_nodes()),
        *(f"mount {point}" for point in mounts if point.startswith(own)),
        *(f"nft {table}" for table in tables if "kube-proxy" in table or "localkube" in table),
        *(f"link {link}" for link in links if link.startswith("veth")),
        *(f"route {route}" for route in routes if route.startswith(ours) and machine.INTERFACE not in route),
        *(f"folder {folder}" for folder in folders if os.path.lexists(folder)),
        *(f"cgroup {folder}" for root in machine.cgroup_roots() for folder in root.glob("kubepods*")),
    ]
