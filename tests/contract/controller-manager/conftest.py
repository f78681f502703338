"""A cluster with the platform's custom resources, and the controller manager as a process on it."""

import asyncio
import itertools
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
import yaml

from harness.installation import install
from harness.kubernetes import KubernetesServer, LocalKubernetes
from harness.services import RunningService, running_service
from ks_controller_manager.rbac import binding_object, role_object, role_ref
from ks_controller_manager.rbac import user as subject_of
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.errors import NotFound
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    WORKSPACES,
    Object,
    Resource,
)
from localkube.cluster import Localkube
from localkube.progress import progress_for

WORKSPACE_LABEL = "kubesphere.io/workspace"
_COPIED = ("name", "namespace", "labels", "annotations", "finalizers", "ownerReferences")


def manager_config(kubeconfig: Path, **more: Any) -> dict[str, Any]:
    """kubesphere.yaml for a test: log as text, back at work soon after a crash."""
    return {"kubernetes": {"kubeconfig": str(kubeconfig)}, "log": {"format": "text"}, **more}


def _with_token(kubeconfig: Path, token: str, target: Path) -> Path:
    """Writes `kubeconfig` to `target`, for the account that `token` is of."""
    content = yaml.safe_load(kubeconfig.read_text())
    for entry in content["users"]:
        entry["user"] = {"token": token}
    target.write_text(yaml.safe_dump(content))
    return target


async def _of_the_account(cluster: Cluster, kubeconfig: Path, directory: Path) -> Path:
    path = f"{SERVICE_ACCOUNTS.path('kubesphere-system', 'ks-controller-manager')}/token"
    token = orjson.loads(await cluster.request("POST", path, body={"spec": {"expirationSeconds": 3600}}))
    return _with_token(kubeconfig, token["status"]["token"], directory / "account-kubeconfig")


@asynccontextmanager
async def _chosen(
    cluster: Cluster, kubeconfig: Path, directory: Path, request: pytest.FixtureRequest
) -> AsyncIterator[RunningService]:
    own = await _of_the_account(cluster, kubeconfig, directory)
    more = getattr(request.module, "CONFIG", {})
    controllers = {"enabled": list(request.module.CONTROLLERS)}
    config = manager_config(own, leaderElection={"enabled": False}, controllers=controllers, **more)
    async with running_service("ks-controller-manager", config, directory / "manager") as service:
        yield service
        refused = [line for line in service.log.splitlines() if "forbidden" in line.lower()]
        # A namespace may end before the manager has heard of it.
        assert [line for line in refused if "because it is being terminated" not in line] == []


class Tenants:
    """Makes workspaces and namespaces of a test's own, and takes them away after it."""

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self.cluster = cluster
        self._prefix = prefix
        self._numbers = itertools.count(1)
        self._made: list[tuple[Resource, str]] = []

    def name(self, what: str) -> str:
        """A name that nothing else in the cluster has."""
        return f"{self._prefix}-{what}{next(self._numbers)}"

    async def workspace(self, manager: str = "admin", name: str = "") -> Object:
        meta = {"name": name or self.name("ws"), "annotations": {"kubesphere.io/creator": "admin"}}
        body = {"apiVersion": WORKSPACES.api_version, "kind": "Workspace", "metadata": meta}
        return await self._make(WORKSPACES, body | {"spec": {"manager": manager}})

    async def namespace(self, workspace: str = "", creator: str = "", name: str = "", **meta: Any) -> Object:
        metadata = {
            "name": name or self.name("ns"),
            "labels": {WORKSPACE_LABEL: workspace} if workspace else {},
            "annotations": {"kubesphere.io/creator": creator} if creator else {},
        }
        return await self._make(NAMESPACES, {"metadata": metadata | meta})

    async def copy(self, resource: Resource, obj: Object, owner_uid: str) -> Object:
        """Creates a recorded object, owned by the workspace of this uid where it was owned by one."""
        meta = {key: obj["metadata"][key] for key in _COPIED if key in obj["metadata"]}
        for owner in meta.get("ownerReferences", []):
            owner["uid"] = owner_uid
        body = {key: value for key, value in obj.items() if key not in ("metadata", "status", "spec")}
        return await self._make(resource, body | {"metadata": meta})

    async def clean(self) -> None:
        """Deletes what is left, whether or not a manager runs that would take off its finalizers."""
        for resource, name in reversed(self._made):
            try:
                await self.cluster.delete(resource, name)
                await self.cluster.patch(resource, name, {"metadata": {"finalizers": None}})
            except NotFound:
                continue

    async def _make(self, resource: Resource, body: Object) -> Object:
        made = await self.cluster.create(resource, body)
        if not resource.namespaced:
            self._made.append((resource, made["metadata"]["name"]))
        return made


@pytest_asyncio.fixture(scope="session")
async def platform_kubeconfig(kubernetes: KubernetesServer) -> Path:
    """Of the session's cluster, with the custom resources and system namespaces installed."""
    await install(kubernetes.kubeconfig)
    return kubernetes.kubeconfig


@pytest_asyncio.fixture(scope="session")
async def cluster(platform_kubeconfig: Path) -> AsyncIterator[Cluster]:
    """The session's cluster, to look at and to change as its administrator."""
    async with Cluster(ClusterConfig(kubeconfig=str(platform_kubeconfig), qps=0)) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def manager(
    platform_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningService]:
    """A controller manager at work for the tests of a module."""
    directory = tmp_path_factory.mktemp("manager")
    async with running_service(
        "ks-controller-manager", manager_config(platform_kubeconfig), directory
    ) as service:
        yield service


@pytest_asyncio.fixture
async def account_kubeconfig(cluster: Cluster, platform_kubeconfig: Path, tmp_path: Path) -> Path:
    """Of the cluster, with no more rights than the controller manager's own account."""
    return await _of_the_account(cluster, platform_kubeconfig, tmp_path)


@pytest_asyncio.fixture
async def chosen(
    cluster: Cluster, platform_kubeconfig: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[RunningService]:
    """A controller manager with the controllers that the test's module names in CONTROLLERS.

    It has its account's rights only, and was refused nothing when the test ends.
    """
    async with _chosen(cluster, platform_kubeconfig, tmp_path, request) as service:
        yield service


@pytest_asyncio.fixture(scope="module")
async def chosen_once(
    cluster: Cluster,
    platform_kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> AsyncIterator[RunningService]:
    """What `chosen` is, one for all tests of a module."""
    async with _chosen(cluster, platform_kubeconfig, tmp_path_factory.mktemp("chosen"), request) as service:
        yield service


@pytest.fixture
def managers(platform_kubeconfig: Path, tmp_path: Path) -> Callable[..., Any]:
    """Gives the context of one more controller manager, with its configuration changed as said."""
    numbers = itertools.count(1)

    def start(kubeconfig: Path | None = None, **more: Any) -> Any:
        config = manager_config(kubeconfig or platform_kubeconfig, **more)
        return running_service("ks-controller-manager", config, tmp_path / f"manager-{next(numbers)}")

    return start


@pytest_asyncio.fixture
async def tenants(cluster: Cluster, request: pytest.FixtureRequest) -> AsyncIterator[Tenants]:
    """Workspaces and namespaces for one test."""
    prefix = f"cm-{abs(hash((request.node.nodeid, asyncio.get_running_loop().time()))) % 10**6}"
    made = Tenants(cluster, prefix)
    try:
        yield made
    finally:
        await made.clean()


@pytest.fixture(scope="session")
def run_manager() -> Callable[..., Awaitable[tuple[int, str]]]:
    """Runs `ks-controller-manager` with these arguments to its end.

    Gives its exit code and what it complained.
    """

    async def run(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ks_controller_manager", *arguments, stdout=DEVNULL, stderr=PIPE
        )
        _, err = await process.communicate()
        return process.returncode or 0, err.decode()

    return run


@pytest_asyncio.fixture(scope="module")
async def own_kubernetes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalKubernetes]:
    """A control plane that nobody else uses and that knows nothing of the platform yet."""
    directory = tmp_path_factory.mktemp("own")
    cluster = Localkube("tests-own", directory, control_plane_only=True, progress=progress_for())
    try:
        await asyncio.to_thread(cluster.up)
        yield LocalKubernetes(cluster, directory)
    finally:
        await asyncio.to_thread(cluster.down, delete=True)


@pytest_asyncio.fixture(scope="session")
async def reader_kubeconfig(kubernetes: KubernetesServer, cluster: Cluster) -> Path:
    """Of the session's cluster, for a user who may read everything and write nothing."""
    user = "plan-reader"
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
    role = role_object("ClusterRole", {"name": user}, rules)
    binding = binding_object(
        "ClusterRoleBinding", {"name": user}, role_ref("ClusterRole", user), [subject_of(user)]
    )
    await cluster.apply(CLUSTER_ROLES, role, field_manager="tests")
    await cluster.apply(CLUSTER_ROLE_BINDINGS, binding, field_manager="tests")
    return await kubernetes.user_kubeconfig(user)


@pytest.fixture(scope="session")
def plan() -> Callable[..., Awaitable[tuple[int, str]]]:
    """Runs `ks-controller-manager plan` as the user of a kubeconfig.

    Gives its exit code and what it printed, to standard output or else to standard error.
    """

    async def run(kubeconfig: Path, *arguments: str) -> tuple[int, str]:
        setting = f"kubernetes.kubeconfig={kubeconfig}"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ks_controller_manager", "plan", "--set", setting, *arguments),
            stdout=PIPE,
            stderr=PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, (out or err).decode()

    return run


@pytest.fixture(scope="session")
def install_platform() -> Callable[[Path], Awaitable[None]]:
    """Installs the `dev` profile on the cluster of a kubeconfig."""
    return install
