"""What ks-controller-manager costs: time, CPU, writes and memory, and how soon a standby takes over.

The baseline is measured in the same run: a client that creates as many objects of the same kinds and sizes,
and does nothing else. The figures of v2.1.1 were taken on two cores of the same kind and are no part of this
run.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
import pytest_asyncio

from harness.convergence import differences, snapshot
from harness.crowd import deployment
from harness.installation import install
from harness.load import cpu_seconds
from harness.services import RunningService, running_service
from harness.tables import print_table
from harness.tenant_load import (
    AT_ONCE,
    OF_A_NAMESPACE,
    Settled,
    Size,
    at_once,
    at_rest,
    settle,
    writes_of,
)
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import DEPLOYMENTS, LEASES, NAMESPACES, ROLES, Object
from localkube.cluster import Localkube
from localkube.progress import progress_for

SMALL, LARGE = Size(100, 400), Size(500, 2_000)
DEPLOYMENTS_MADE = 5_012
LEASE = ("ks-controller-manager-leader-election", "kubesphere-system")
IDLE_SECONDS = 20.0

V2_1_1 = {"seconds": 17.6, "cpu": 3.7, "mib": 187}
"""Of v2.1.1, recorded: seconds and CPU for SMALL, resident MiB with LARGE and its Deployments."""

BARE = """
import asyncio, json, sys, time
import uvloop
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES

async def main(kubeconfig, bodies, at_once):
    objects = [json.loads(line) for line in open(bodies)]
    kinds = {kind.kind: kind for kind in (CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES)}
    places = asyncio.Semaphore(int(at_once))
    async with Cluster(ClusterConfig(kubeconfig=kubeconfig, qps=0)) as cluster:
        async def create(obj):
            async with places:
                await cluster.create(kinds[obj["kind"]], obj)
        started, cpu = time.monotonic(), time.process_time()
        await asyncio.gather(*map(create, objects))
        print(json.dumps([time.monotonic() - started, time.process_time() - cpu]))

asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main(*sys.argv[1:]))
"""


@pytest_asyncio.fixture(scope="module")
async def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """Of a control plane with the platform's definitions, for the benchmarks of this file alone."""
    local = Localkube(
        "bench-controllers",
        tmp_path_factory.mktemp("kubernetes"),
        control_plane_only=True,
        progress=progress_for(),
    )
    try:
        await asyncio.to_thread(local.up)
        await install(local.kubeconfig)
        yield local.kubeconfig
    finally:
        await asyncio.to_thread(local.down, delete=True)


@pytest_asyncio.fixture(scope="module")
async def cluster(kubeconfig: Path) -> AsyncIterator[Cluster]:
    async with Cluster(ClusterConfig(kubeconfig=str(kubeconfig), qps=0)) as opened:
        yield opened


@contextlib.asynccontextmanager
async def manager(kubeconfig: Path, directory: Path, **more: Any) -> AsyncIterator[RunningService]:
    """A controller manager that is at work, without a rival unless told otherwise."""
    config = {"kubernetes": {"kubeconfig": str(kubeconfig)}, "leaderElection": {"enabled": False}, **more}
    async with running_service("ks-controller-manager", config, directory) as service:
        await at_rest(service)
        yield service


async def bare_creates(
    cluster: Cluster, kubeconfig: Path, prefix: str, directory: Path
) -> tuple[float, float]:
    """Seconds and CPU seconds of a client that creates the roles and bindings of `prefix` once more."""
    found = await snapshot(cluster, prefix)
    objects = [
        (resource, _copied(obj))
        for resource, objects in found.objects.items()
        for obj in objects.values()
        if resource.group == ROLES.group
    ]
    bodies = directory / "bodies"
    bodies.write_bytes(b"".join(orjson.dumps(obj) + b"\n" for _, obj in objects))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", BARE, str(kubeconfig), str(bodies), str(AT_ONCE)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    await at_once(
        cluster.delete(resource, obj["metadata"]["name"], obj["metadata"]["namespace"])
        for resource, obj in objects
    )
    seconds, cpu = orjson.loads(out)
    return seconds, cpu


def _copied(obj: Object) -> Object:
    metadata = {name: obj["metadata"].get(name) for name in ("namespace", "labels", "annotations")}
    return {**obj, "metadata": {**metadata, "name": f"bare-{obj['metadata']['name']}"}}


def _row(size: Size, settled: Settled, bare: tuple[float, float]) -> tuple[str, ...]:
    seconds, cpu = bare
    return (
        str(size),
        f"{settled.seconds:.1f}",
        f"{settled.seconds / seconds:.2f}",
        f"{settled.cpu:.2f}",
        f"{settled.cpu / cpu:.2f}",
        f"{settled.writes}",
        f"{settled.writes / size.writes:.3f}",
        f"{settled.refused}",
    )


HEADER = ("made at once", "s", "to bare", "CPU s", "to bare", "writes", "an object", "refused")


@pytest.mark.timeout(900)
async def test_everything_made_at_once_settles(kubeconfig: Path, cluster: Cluster, tmp_path: Path) -> None:
    """The larger size comes second, on top of the first: time and CPU grow with what is made, not with what
    is there."""
    found: list[str] = []
    async with manager(kubeconfig, tmp_path) as service:
        started = cpu_seconds(service.pid)
        small = await settle(cluster, service, f"w{SMALL.workspaces}", SMALL)
        found += differences(await snapshot(cluster, f"w{SMALL.workspaces}"))
        bare = await bare_creates(cluster, kubeconfig, f"w{SMALL.workspaces}", tmp_path)
        await at_rest(service)
        large = await settle(cluster, service, f"w{LARGE.workspaces}", LARGE)
        found += differences(await snapshot(cluster, f"w{LARGE.workspaces}"))
    recorded = (f"{V2_1_1['seconds']:.1f}", "-", f"{V2_1_1['cpu']:.2f}", "-", "-", "-", "-")
    goal = (f"{V2_1_1['seconds'] / 2:.1f}", "-", f"{V2_1_1['cpu']:.2f}", "-", f"{SMALL.writes}", "1.000", "0")
    made = (f"{bare[0]:.1f}", "1.00", f"{bare[1]:.2f}", "1.00", f"{SMALL.derived}", "-", "-")
    more = LARGE.writes / SMALL.writes
    print_table(
        f"until every role and binding is there; the manager had taken {started:.1f} s of CPU to start",
        HEADER,
        [
            (f"{SMALL}: its roles and bindings, bare creates", *made),
            _row(SMALL, small, bare),
            (f"{SMALL}: v2.1.1, recorded", *recorded),
            (f"{SMALL}: goal, at most", *goal),
            _row(LARGE, large, (bare[0] * more, bare[1] * more)),
        ],
    )
    assert found == []


@pytest.mark.timeout(600)
async def test_a_standby_takes_over(kubeconfig: Path, cluster: Cluster, tmp_path: Path) -> None:
    """Until what was asked for after the leader's end is there; the standby looks at everything first."""
    await _filled(cluster, kubeconfig, tmp_path)
    election = {"leaderElection": {"enabled": True}}
    async with (
        manager(kubeconfig, tmp_path / "one", **election) as one,
        manager(kubeconfig, tmp_path / "other", **election) as other,
    ):
        killed = await _fails_over(cluster, [one, other], "killed", hard=True)
        stopped = await _fails_over(cluster, [one, other], "stopped", hard=False)
    print_table(
        "seconds until a standby has given a new namespace its roles",
        ("", "here", "goal, less than"),
        [("the leader is killed", f"{killed:.1f}", "15"), ("the leader stops", f"{stopped:.1f}", "3")],
    )


async def _fails_over(cluster: Cluster, managers: list[RunningService], name: str, *, hard: bool) -> float:
    """Ends the leader, and starts it again once the other has done its work."""
    holder = (await cluster.get(LEASES, *LEASE))["spec"]["holderIdentity"]
    [leader] = [one for one in managers if f"_{one.pid}_" in holder]
    for one in managers:
        await at_rest(one)
    ending = asyncio.create_task(leader.kill() if hard else leader.stop())
    started = time.monotonic()
    labels = {"kubesphere.io/workspace": f"w{LARGE.workspaces}-w0"}
    await cluster.create(NAMESPACES, {"metadata": {"name": name, "labels": labels}})

    async def has_roles() -> None:
        assert len((await cluster.list(ROLES, name)).items) == OF_A_NAMESPACE[ROLES]

    await eventually(has_roles, timeout=60)
    seconds = time.monotonic() - started
    await ending
    await leader.start()
    return seconds


@pytest.mark.timeout(600)
async def test_at_rest(kubeconfig: Path, cluster: Cluster, tmp_path: Path) -> None:
    """A restart with everything there, then nothing to do, and then what thousands of Deployments weigh."""
    await _filled(cluster, kubeconfig, tmp_path)
    started = time.monotonic()
    async with manager(kubeconfig, tmp_path / "idle") as service:
        seconds, start = time.monotonic() - started, cpu_seconds(service.pid)
        writes, _ = writes_of(service)
        before = cpu_seconds(service.pid)
        await asyncio.sleep(IDLE_SECONDS)
        idle = (cpu_seconds(service.pid) - before) / IDLE_SECONDS
        later = writes_of(service)[0] - writes
        await _make_deployments(cluster)
        await asyncio.sleep(5)  # the watch is behind by far less
        mib = psutil.Process(service.pid).memory_info().rss / 2**20
    namespaces, deployments = [len((await cluster.list(kind)).items) for kind in (NAMESPACES, DEPLOYMENTS)]
    print_table(
        f"with {namespaces:,} namespaces",
        ("", "here", "goal, at most", "v2.1.1, recorded"),
        [
            ("writes at a restart", str(writes), "0", "-"),
            ("writes at rest", str(later), "0", "-"),
            ("s until at rest again, of which one is the wait", f"{seconds:.1f}", "-", "-"),
            ("CPU s for the restart", f"{start:.1f}", "-", "-"),
            (f"share of a core, idle for {IDLE_SECONDS:.0f} s", f"{idle:.2%}", "1.00%", "-"),
            (
                f"resident MiB, with {deployments:,} deployments",
                f"{mib:.0f}",
                f"{V2_1_1['mib']}",
                f"{V2_1_1['mib']}",
            ),
        ],
    )


async def _filled(cluster: Cluster, kubeconfig: Path, directory: Path) -> None:
    """Makes the larger size, where it is not there yet."""
    if len((await cluster.list(NAMESPACES)).items) < LARGE.namespaces:
        async with manager(kubeconfig, directory / "filling") as service:
            await settle(cluster, service, f"w{LARGE.workspaces}", LARGE)


async def _make_deployments(cluster: Cluster) -> None:
    """As many as there were with v2.1.1, in the namespaces of the larger size."""
    bodies = [deployment(number) for number in range(DEPLOYMENTS_MADE)]
    for number, body in enumerate(bodies):
        body["metadata"]["namespace"] = f"w{LARGE.workspaces}-n{number % LARGE.namespaces}"
    await at_once(cluster.create(DEPLOYMENTS, body) for body in bodies)
