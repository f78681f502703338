"""The API server, the leader and the connection are killed at random while users change things.

KS_CHAOS_SECONDS says for how long at least (8), KS_CHAOS_SEED chooses what happens when; the seed is printed.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.convergence import differences, snapshot
from harness.kubernetes import LocalKubernetes
from harness.services import RunningService, running_service
from harness.severed import SeveredProxy, severed
from harness.tenant_changes import Users
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.errors import KubernetesError
from kubekit.resource import CLUSTER_ROLE_BINDINGS, LEASES

SECONDS = float(os.environ.get("KS_CHAOS_SECONDS", "8"))
SEED = int(os.environ.get("KS_CHAOS_SEED", random.randrange(10**6)))
PREFIX = "chaos"
LEASE = ("ks-controller-manager-leader-election", "kubesphere-system")
QUICK = {"duration": "8s", "renew": "6s", "retry": "1s"}
QUIET = 3.0
"""Seconds that nothing may be written in at the end."""

Managers = tuple[RunningService, RunningService]


@pytest_asyncio.fixture
async def admin(own_kubernetes: LocalKubernetes) -> AsyncIterator[Cluster]:
    config = ClusterConfig(kubeconfig=str(own_kubernetes.kubeconfig), timeout=5, qps=0)
    async with Cluster(config) as opened:
        yield opened


@pytest_asyncio.fixture
async def connection(own_kubernetes: LocalKubernetes, tmp_path: Path) -> AsyncIterator[SeveredProxy]:
    """What the managers reach the API server through."""
    async with severed(own_kubernetes.kubeconfig, tmp_path / "kubeconfig") as proxy:
        yield proxy


@pytest_asyncio.fixture
async def rivals(
    connection: SeveredProxy,
    own_kubernetes: LocalKubernetes,
    tmp_path: Path,
    install_platform: Callable[[Path], Awaitable[None]],
) -> AsyncIterator[Managers]:
    """Two managers, of which one leads."""
    await install_platform(own_kubernetes.kubeconfig)
    kubernetes = {"kubeconfig": str(tmp_path / "kubeconfig"), "timeout": "3s"}
    config = {"kubernetes": kubernetes, "leaderElection": QUICK, "log": {"format": "text"}}
    name = "ks-controller-manager"
    async with (
        running_service(name, config, tmp_path / "one") as one,
        running_service(name, config, tmp_path / "other") as other,
    ):
        yield one, other


class Trouble:
    """Brings one disaster after another over a cluster and its managers."""

    def __init__(
        self,
        kubernetes: LocalKubernetes,
        admin: Cluster,
        connection: SeveredProxy,
        managers: Managers,
        chance: random.Random,
    ) -> None:
        self._kubernetes = kubernetes
        self._admin = admin
        self._connection = connection
        self._managers = managers
        self._chance = chance
        self.done: Counter[str] = Counter()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, each at least once; everything is up again when it returns."""
        disasters = [self._api_server, self._leader, self._cut, self._refuse, self._stall]
        while not stop.is_set():
            for disaster in self._chance.sample(disasters, len(disasters)):
                await disaster()
                self.done[disaster.__name__.strip("_")] += 1
                await asyncio.sleep(self._chance.uniform(0.1, 1.0))

    async def _api_server(self) -> None:
        await self._kubernetes.stop_apiserver(hard=True)
        await asyncio.sleep(self._chance.uniform(0, 2))
        await self._kubernetes.start_apiserver()

    async def _leader(self) -> None:
        leader = await self._leads()
        await leader.kill()
        await asyncio.sleep(self._chance.uniform(0, 2))
        await leader.start()

    async def _leads(self) -> RunningService:
        try:
            holder = (await self._admin.get(LEASES, *LEASE))["spec"].get("holderIdentity", "")
        except KubernetesError:
            holder = ""
        led = [one for one in self._managers if f"_{one.pid}_" in holder]
        return led[0] if led else self._chance.choice(self._managers)

    async def _cut(self) -> None:
        self._connection.cut()

    async def _refuse(self) -> None:
        self._connection.refuse()
        await self._healed()

    async def _stall(self) -> None:
        self._connection.stall()
        await self._healed()

    async def _healed(self) -> None:
        await asyncio.sleep(self._chance.uniform(0.2, 3))
        self._connection.heal()


@pytest.mark.timeout(SECONDS + 420)
async def test_whatever_dies_the_cluster_ends_as_its_users_want_it(
    own_kubernetes: LocalKubernetes, admin: Cluster, connection: SeveredProxy, rivals: Managers
) -> None:
    print(f"\nKS_CHAOS_SEED={SEED}")
    chance = random.Random(SEED)
    users = Users(admin, PREFIX, chance)
    trouble = Trouble(own_kubernetes, admin, connection, rivals, chance)
    stop = asyncio.Event()
    enough = asyncio.get_running_loop().call_later(SECONDS, stop.set)
    try:
        await trouble_and_changes(trouble, users, stop)
    finally:
        enough.cancel()
    print(f"users: {dict(users.done)}\ntrouble: {dict(trouble.done)}")

    async def as_wanted() -> None:
        assert differences(await snapshot(admin, PREFIX)) == []

    await eventually(as_wanted, 240, 0.5)
    assert await lost_members(admin, users) == {}
    before = (await snapshot(admin, PREFIX)).versions()
    await asyncio.sleep(QUIET)
    assert (await snapshot(admin, PREFIX)).versions() == before
    assert before.keys(), "nothing was left to compare"


async def trouble_and_changes(trouble: Trouble, users: Users, stop: asyncio.Event) -> None:
    """Both until `stop` is set; users go on for as long as there is trouble."""
    over = asyncio.Event()
    changing = asyncio.create_task(users.run(over))
    try:
        await trouble.run(stop)
    finally:
        over.set()
        await changing


async def lost_members(cluster: Cluster, users: Users) -> dict[str, set[str]]:
    """Who was made an admin of a workspace, and is none."""
    bindings: dict[str, Any] = {
        binding["metadata"]["name"]: {subject["name"] for subject in binding.get("subjects", [])}
        for binding in (await cluster.list(CLUSTER_ROLE_BINDINGS)).items
    }
    lost = {
        workspace: members - bindings.get(f"workspace:{workspace}:admin", set())
        for workspace, members in users.members.items()
    }
    return {workspace: members for workspace, members in lost.items() if members}
