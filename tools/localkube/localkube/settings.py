"""What a cluster must remember between two starts."""

import json
import os
import random
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from localkube.errors import LocalkubeError, PortTaken
from localkube.versions import KubeVersion, find_version

DEFAULT_POD_RANGE = "10.244.0.0/16"
DEFAULT_SERVICE_RANGE = "10.96.0.0/16"
DEFAULT_NODE_ADDRESS = "10.245.0.1"

# Below the range that Linux gives to outgoing connections: a port stays ours while its server is down.
PORTS = range(20000, 32000)
_HIGHEST_PORT = 65535
_PORT_NAMES = (
    "etcd",
    "etcd-peer",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet-healthz",
    "kube-proxy-healthz",
    "kube-proxy-metrics",
)


@dataclass(slots=True)
class Settings:
    """Version, ports and address ranges of one cluster."""

    name: str
    version: str
    port: int
    ports: dict[str, int] = field(default_factory=dict)
    pod_range: str = DEFAULT_POD_RANGE
    service_range: str = DEFAULT_SERVICE_RANGE
    node_address: str = DEFAULT_NODE_ADDRESS
    with_node: bool = False

    @property
    def kube(self) -> KubeVersion:
        """The pinned version."""
        return find_version(self.version)

    @property
    def url(self) -> str:
        """The address of the API server."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubernetes_service(self) -> str:
        """The address of the Service `kubernetes`: the first of the range, as the API server takes it."""
        return str(IPv4Network(self.service_range)[1])

    @property
    def dns_service(self) -> str:
        """The address of the Service `kube-dns`: the tenth, by convention."""
        return str(IPv4Network(self.service_range)[10])

    @property
    def node_name(self) -> str:
        """The name of the cluster's node."""
        return f"{self.name}-node"


def load(path: Path) -> Settings | None:
    """Read the settings, None when the cluster is new; raises LocalkubeError when they cannot be read."""
    try:
        return Settings(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as damaged:
        raise LocalkubeError(
            f"{path} is damaged ({damaged}): delete its folder, or run `localkube cleanup`"
        ) from damaged


def save(settings: Settings, path: Path) -> None:
    """Write the settings so that a reader finds the old ones or the new ones, never half."""
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(settings), indent=2))
    unfinished.replace(path)


def assign_ports(settings: Settings, port: int, reserved: Iterable[int] = ()) -> None:
    """Give every server of a new cluster its port; 0 picks a free one for the API server.

    Those in `reserved` are of other clusters and not picked, even if they are free now. Raises PortTaken when
    `port` is in use, LocalkubeError when no port has that number.
    """
    if not 0 <= port <= _HIGHEST_PORT:
        raise LocalkubeError(f"port {port} cannot be: choose one up to {_HIGHEST_PORT}, or 0 for a free one")
    if port and not is_free(port):
        raise PortTaken(f"port {port} is in use: choose another with --port, or 0 for a free one")
    taken = {port, *reserved}
    settings.port = port or _pick(taken)
    for name in _PORT_NAMES:
        settings.ports.setdefault(name, _pick(taken))


def replace_taken(settings: Settings, names: Iterable[str], reserved: Iterable[int] = ()) -> None:
    """Move the internal servers `names`, which are not running, off ports that others took meanwhile."""
    taken = {settings.port, *settings.ports.values(), *reserved}
    for name in names:
        if not is_free(settings.ports[name]):
            settings.ports[name] = _pick(taken)


def reserved_ports(others: Iterable[Path]) -> set[int]:
    """The ports of the clusters whose settings are in the files `others`, running or not."""
    ports: set[int] = set()
    for path in others:
        try:
            settings = load(path)
        except LocalkubeError:
            continue
        if settings:
            ports |= {settings.port, *settings.ports.values()}
    return ports


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` on every address of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - nothing listens, the port is only tried
        except OSError:
            return False
    return True


def _pick(taken: set[int]) -> int:
    chooser = random.Random(os.urandom(8))  # noqa: S311 - spreads clusters, protects nothing
    for port in chooser.sample(PORTS, len(PORTS)):
        if port not in taken and is_free(port):
            taken.add(port)
            return port
    raise PortTaken(f"no port between {PORTS.start} and {PORTS.stop} is free")
