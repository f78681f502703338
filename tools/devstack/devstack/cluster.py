"""The stack's Kubernetes: a local one that it starts, or one that is there already."""

import asyncio
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from devstack.ports import LOOPBACK
from devstack.program import write_private
from devstack.settings import Settings
from kubekit.cluster import Cluster as Connection
from kubekit.config import ClusterConfig
from localkube.cluster import Localkube
from localkube.errors import LocalkubeError
from localkube.node import images
from localkube.progress import Progress

API_SERVER = "kube-apiserver"
_NAME = "kubesphere"
_NAMESPACE = "kubesphere-system"
_SERVICE_ACCOUNT_GROUPS = ("system:serviceaccounts", f"system:serviceaccounts:{_NAMESPACE}")


class ClusterUnusable(Exception):
    """The cluster cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class ClusterState:
    """A cluster at one moment. `problem` is None when it serves; pid and since are of a local API server."""

    running: bool
    problem: str | None
    pid: int | None = None
    since: datetime | None = None


class Cluster(ABC):
    """Where the platform is installed."""

    kubeconfig: Path
    """Of an administrator."""

    @abstractmethod
    def start(self, say: Callable[[str], None]) -> str:
        """Has the cluster serve; gives a line that describes it. Raises ClusterUnusable, LocalkubeError."""

    @abstractmethod
    def stop(self, delete: bool) -> None:
        """Stops what `start` started; `delete` removes its data too."""

    @abstractmethod
    def state(self) -> ClusterState: ...

    @abstractmethod
    def service_kubeconfig(self, service: str) -> Path:
        """With which rights the service `service` reaches the cluster."""

    @abstractmethod
    def grant(self, services: Iterable[str]) -> None:
        """Makes the kubeconfigs of the services of a cluster that serves."""

    @property
    @abstractmethod
    def kubectl(self) -> Path | None:
        """A kubectl that suits the cluster."""

    @property
    def test_image(self) -> str | None:
        """An image with a shell that its nodes have already."""
        return None

    @property
    def kubectl_image(self) -> str | None:
        """An image with a shell and kubectl that its nodes have already."""
        return None

    @property
    def url(self) -> str:
        """Of the API server."""
        return _server(self.kubeconfig)


class LocalCluster(Cluster):
    """localkube's, with its files in the stack's state folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._local = self._localkube(Progress())
        self.kubeconfig = self._local.kubeconfig

    def start(self, say: Callable[[str], None]) -> str:
        status = self._localkube(_Said(say)).up()
        kind = "with a node" if self._settings.wants_node else "control plane only: pods stay pending"
        return f"Kubernetes {status.version}, {kind}, {status.url}"

    def stop(self, delete: bool) -> None:
        self._local.down(delete=delete)

    def state(self) -> ClusterState:
        try:
            status = self._local.status()
        except LocalkubeError as error:
            return ClusterState(running=False, problem=str(error))
        server = next(each for each in status.components if each.name == API_SERVER)
        return ClusterState(
            running=server.running,
            problem=status.problem,
            pid=server.pid,
            since=datetime.fromtimestamp(server.since, UTC) if server.since else None,
        )

    def service_kubeconfig(self, service: str) -> Path:
        """That of the ServiceAccount under which a pod of the service would run."""
        return self._settings.state / service / "kubeconfig"

    def grant(self, services: Iterable[str]) -> None:
        for service in services:
            account = f"system:serviceaccount:{_NAMESPACE}:ks-{service}"
            made = self._local.user_kubeconfig(account, _SERVICE_ACCOUNT_GROUPS)
            write_private(self.service_kubeconfig(service), made.read_text())

    @property
    def kubectl(self) -> Path | None:
        return self._local.kubectl

    @property
    def test_image(self) -> str | None:
        return images.BUSYBOX if self._settings.wants_node else None

    @property
    def kubectl_image(self) -> str | None:
        return images.KUBECTL if self._settings.wants_node else None

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self._settings.ports.kubernetes}"

    def _localkube(self, progress: Progress) -> Localkube:
        return Localkube(
            _NAME,
            self._settings.state / "kubernetes",
            port=self._settings.ports.kubernetes,
            control_plane_only=not self._settings.wants_node,
            progress=progress,
        )


class GivenCluster(Cluster):
    """The one that a kubeconfig of the user's names. It is neither started nor stopped here."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def start(self, say: Callable[[str], None]) -> str:
        problem = self.state().problem
        if problem is not None:
            raise ClusterUnusable(f"the cluster that {self.kubeconfig} names cannot be used: {problem}")
        return f"{self.url}, named by {self.kubeconfig}"

    def stop(self, delete: bool) -> None:
        """Leaves the cluster, and what is installed in it, as it is."""

    def state(self) -> ClusterState:
        try:
            with ThreadPoolExecutor(max_workers=1) as apart:  # the caller's thread may run a loop already
                apart.submit(asyncio.run, _ask_ready(self.kubeconfig)).result()
        except Exception as error:
            return ClusterState(running=False, problem=str(error) or repr(error))
        return ClusterState(running=True, problem=None)

    def service_kubeconfig(self, service: str) -> Path:
        """The user's own: who may sign for a ServiceAccount of that cluster is not known here."""
        return self.kubeconfig

    def grant(self, services: Iterable[str]) -> None:
        """Has nothing to make."""

    @property
    def kubectl(self) -> Path | None:
        found = shutil.which("kubectl")
        return Path(found) if found else None


def cluster_of(settings: Settings) -> Cluster:
    """The cluster that the settings name."""
    return GivenCluster(settings.kubeconfig) if settings.kubeconfig else LocalCluster(settings)


async def _ask_ready(kubeconfig: Path) -> None:
    connection = Connection(ClusterConfig(kubeconfig=str(kubeconfig), timeout=5))
    try:
        await connection.open()
        await connection.request("GET", "/readyz")
    finally:
        await connection.close()


def _server(kubeconfig: Path) -> str:
    document = yaml.safe_load(kubeconfig.read_text())
    contexts = {each["name"]: each["context"]["cluster"] for each in document["contexts"]}
    clusters = {each["name"]: each["cluster"]["server"] for each in document["clusters"]}
    return clusters[contexts[document["current-context"]]]


class _Said(Progress):
    """localkube's progress, told as the notes of our own step."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        self._say(text)
        yield

    def note(self, text: str) -> None:
        self._say(text)
