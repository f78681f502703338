"""The controller manager as a process: restarts, rivals, rights, and how fast it settles."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import aiohttp
import pytest

from harness.services import RunningService
from harness.tenant_load import at_rest
from harness.waiting import eventually
from ks_controller_manager.application.kinds import APPLICATIONS
from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    LEASES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    WORKSPACES,
)
from kubekit.transport import Impersonation

pytestmark = pytest.mark.kubernetes

Managers = Callable[..., Any]

KINDS = (WORKSPACES, NAMESPACES, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS)
LEASE = ("ks-controller-manager-leader-election", "kubesphere-system")
METRICS = (
    "controller_runtime_reconcile_total",
    "controller_runtime_reconcile_errors_total",
    "controller_runtime_reconcile_time_seconds_bucket",
    "controller_runtime_max_concurrent_reconciles",
    "controller_runtime_active_workers",
    "workqueue_depth",
    "workqueue_adds_total",
    "workqueue_retries_total",
    "workqueue_queue_duration_seconds_bucket",
    "workqueue_work_duration_seconds_bucket",
    "workqueue_unfinished_work_seconds",
    "workqueue_longest_running_processor_seconds",
    "leader_election_master_status",
    "rest_client_requests_total",
)
QUICK = {"leaderElection": {"duration": "8s", "renew": "6s", "retry": "1s"}}


async def versions(cluster: Cluster, about: str = "") -> dict[str, str]:
    """The resource version of each object of the kinds written, if its name or namespace holds `about`."""
    lists = await asyncio.gather(*(cluster.list(kind) for kind in KINDS))
    found = {}
    for kind, listed in zip(KINDS, lists, strict=True):
        for obj in listed.items:
            meta = obj["metadata"]
            name = f"{kind} {meta.get('namespace', '')}/{meta['name']}"
            if about in name:
                found[name] = meta["resourceVersion"]
    return found


async def converged(cluster: Cluster, prefix: str, workspaces: int, namespaces: int) -> None:
    names = await versions(cluster, prefix)
    count = {kind: sum(name.startswith(f"{kind} ") for name in names) for kind in KINDS}
    assert count == {
        WORKSPACES: workspaces,
        NAMESPACES: namespaces,
        CLUSTER_ROLES: 3 * workspaces,
        CLUSTER_ROLE_BINDINGS: 3 * workspaces,
        ROLES: 3 * namespaces,
        ROLE_BINDINGS: 3 * namespaces,
    }
    listed = (await cluster.list(NAMESPACES)).items
    mine = [obj for obj in listed if obj["metadata"]["name"].startswith(prefix)]
    assert all(obj["metadata"].get("ownerReferences") for obj in mine)


async def populate(tenants: Any, workspaces: int, namespaces: int) -> str:
    """Makes workspaces, and namespaces spread over them, all at once.  Gives the prefix of their names."""
    prefix = tenants.name("load")
    names = [f"{prefix}-w{number}" for number in range(workspaces)]
    made = [tenants.workspace(name=name) for name in names]
    made += [
        tenants.namespace(names[number % workspaces], creator="alice", name=f"{prefix}-n{number}")
        for number in range(namespaces)
    ]
    await asyncio.gather(*made)
    return prefix


async def readyz(manager: RunningService) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{manager.url}/readyz") as answer:
        return answer.status, await answer.json()


async def test_a_restart_writes_nothing(cluster: Cluster, tenants: Any, managers: Managers) -> None:
    prefix = await populate(tenants, 2, 4)
    async with managers() as manager:
        await eventually(lambda: converged(cluster, prefix, 2, 4), 30)
        await asyncio.sleep(1)
        before = await versions(cluster, prefix)
        await manager.stop()
        await manager.start()

        async def leads() -> None:
            assert "started with" in manager.log.rpartition("stopped")[2]

        await eventually(leads)
        await asyncio.sleep(2)
        assert await versions(cluster, prefix) == before
        assert "wrote" not in manager.log.rpartition("has stopped")[2]


async def test_everything_made_at_once_settles(cluster: Cluster, tenants: Any, managers: Managers) -> None:
    async with managers() as manager:
        started = time.monotonic()
        prefix = await populate(tenants, 20, 80)
        made = time.monotonic()
        await eventually(lambda: converged(cluster, prefix, 20, 80), 120, 0.25)
        done = time.monotonic()
        print(
            f"\n20 workspaces and 80 namespaces: made in {made - started:.1f} s, "
            f"every role and binding there {done - started:.1f} s after the start"
        )
        await asyncio.sleep(1)
        wrote = [line.rpartition(" wrote ")[2] for line in manager.log.splitlines() if " wrote " in line]
        mine = [name for name in wrote if prefix in name]
        assert len(mine) == len(set(mine)) == 20 * 6 + 80 * 6


async def test_a_leader_that_is_killed_is_replaced(
    cluster: Cluster, tenants: Any, managers: Managers
) -> None:
    async with managers(**QUICK) as one, managers(**QUICK) as other:
        holder = (await cluster.get(LEASES, *LEASE))["spec"]["holderIdentity"]
        leader, standby = (one, other) if f"_{one.pid}_" in holder else (other, one)
        assert f"_{leader.pid}_" in holder
        making = asyncio.create_task(populate(tenants, 8, 24))
        await asyncio.sleep(0.3)
        await leader.kill()
        prefix = await making
        await eventually(lambda: converged(cluster, prefix, 8, 24), 60, 0.25)
        holder = (await cluster.get(LEASES, *LEASE))["spec"]["holderIdentity"]
        assert f"_{standby.pid}_" in holder


async def test_a_leader_that_stops_gives_its_place_up(cluster: Cluster, managers: Managers) -> None:
    async with managers() as one, managers() as other:

        async def led_by(manager: RunningService) -> None:
            holder = (await cluster.get(LEASES, *LEASE))["spec"]["holderIdentity"]
            assert f"_{manager.pid}_" in holder

        await eventually(lambda: led_by(one))
        await one.stop()
        # Well before the 12 seconds for which a leader that is not heard of keeps its place.
        await eventually(lambda: led_by(other), 8)

        async def is_ready() -> None:
            assert (await readyz(other))[0] == 200

        await eventually(is_ready, 60)


async def test_a_leader_that_loses_its_place_and_gets_it_back_asks_and_writes_nothing_anew(
    cluster: Cluster, tenants: Any, managers: Managers
) -> None:
    prefix = await populate(tenants, 2, 6)
    namespace = f"{prefix}-n0"
    components = {
        "selector": {"matchLabels": {"app": "a"}},
        "componentKinds": [{"group": "", "kind": "Service"}],
    }
    application = {"metadata": {"name": "a", "namespace": namespace}, "spec": components}
    kind = {"apiVersion": APPLICATIONS.api_version, "kind": APPLICATIONS.kind}
    await cluster.create(APPLICATIONS, {**kind, **application})
    async with managers(**QUICK) as manager:
        await eventually(lambda: converged(cluster, prefix, 2, 6), 60)
        await eventually(lambda: described(cluster, namespace), 60)
        await at_rest(manager)
        before, lists = await versions(cluster, prefix), cache_lists(manager)
        took = {"spec": {"holderIdentity": "somebody else", "leaseDurationSeconds": 2}}
        await cluster.patch(LEASES, LEASE[0], took, LEASE[1])

        async def leads_again() -> None:
            assert "lost the lease" in manager.log
            assert "started with" in manager.log.rpartition("lost the lease")[2]

        await eventually(leads_again, 60)
        await at_rest(manager)
        assert await versions(cluster, prefix) == before
        assert cache_lists(manager) == lists


def cache_lists(manager: RunningService) -> dict[str, str]:
    """How often the manager has listed each resource; those of Istio, which are not there, it looks for."""
    with urlopen(f"{manager.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    lists = [line for line in lines if line.startswith("kubekit_cache_lists_total{")]
    return dict(line.rsplit(" ", 1) for line in lists if "istio" not in line)


async def described(cluster: Cluster, namespace: str) -> None:
    application = await cluster.get(APPLICATIONS, "a", namespace)
    assert (application.get("status") or {}).get("conditions")


async def test_its_own_account_is_enough(
    cluster: Cluster, tenants: Any, managers: Managers, account_kubeconfig: Path
) -> None:
    async with managers(account_kubeconfig) as manager:
        prefix = await populate(tenants, 1, 1)
        await eventually(lambda: converged(cluster, prefix, 1, 1), 30)
        await cluster.delete(NAMESPACES, f"{prefix}-n0")

        async def gone() -> None:
            assert f"{NAMESPACES} /{prefix}-n0" not in await versions(cluster, prefix)

        await eventually(gone, 60)
        refused = [line for line in manager.log.splitlines() if "forbidden" in line.lower()]
        # A namespace may end before the manager has heard of it.
        assert [line for line in refused if "because it is being terminated" not in line] == []


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/api/v1/secrets"),
        ("GET", "/api/v1/nodes"),
        ("DELETE", "/api/v1/namespaces/default/pods/any"),
        ("DELETE", "/api/v1/namespaces/default"),
        ("POST", "/api/v1/namespaces"),
        ("DELETE", "/apis/tenant.kubesphere.io/v1alpha1/workspaces/system-workspace"),
        ("DELETE", "/apis/apps/v1/namespaces/default/deployments/any"),
        ("DELETE", "/apis/networking.istio.io/v1alpha3/namespaces/default/virtualservices/any"),
        ("DELETE", "/apis/batch/v1/namespaces/default/jobs/any"),
        ("GET", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"),
        ("DELETE", "/api/v1/namespaces/default/services/kubernetes"),
    ],
)
async def test_its_own_account_may_do_nothing_else(cluster: Cluster, verb: str, path: str) -> None:
    account = Impersonation("system:serviceaccount:kubesphere-system:ks-controller-manager")
    with pytest.raises(KubernetesError, match="forbidden"):
        await cluster.request(
            verb, path, params={"dryRun": "All"} if verb != "GET" else None, body={}, as_user=account
        )


async def test_a_controller_can_be_left_out(cluster: Cluster, tenants: Any, managers: Managers) -> None:
    async with managers(controllers={"enabled": ["*", "-namespace-controller"]}):
        workspace = (await tenants.workspace())["metadata"]["name"]
        namespace = (await tenants.namespace(workspace))["metadata"]["name"]

        async def bound() -> None:
            names = [b["metadata"]["name"] for b in (await cluster.list(ROLE_BINDINGS, namespace)).items]
            assert sorted(names) == ["admin", "viewer"]

        await eventually(bound, 20)
        assert (await cluster.list(ROLES, namespace)).items == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["controllers.enabled=nosuch"],
            "controllers: there is no 'nosuch'; there are workspace-controller, ",
        ),
        (["controllers.workers=0"], "controllers.workers: "),
        (["leaderElection.renew=20s"], "leaderElection: needs retry < renew < duration"),
    ],
)
async def test_a_wrong_configuration_is_named(settings: list[str], message: str, run_manager: Any) -> None:
    arguments = [part for setting in settings for part in ("--set", setting)]
    code, err = await run_manager("check-config", *arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


async def test_metrics_have_the_names_of_controller_runtime(managers: Managers) -> None:
    async with managers() as manager, aiohttp.ClientSession() as session:

        async def told() -> None:
            async with session.get(f"{manager.url}/metrics") as answer:
                text = await answer.text()
            missing = [name for name in METRICS if f"\n{name}{{" not in text]
            assert missing == []
            assert 'reconcile_total{controller="workspace-controller",result="success"}' in text
            assert 'workqueue_depth{name="workspace-controller"} 0.0' in text

        await eventually(told, 30)


async def test_what_fails_and_when_it_is_tried_again_is_told_on_the_machine_itself(
    cluster: Cluster, tenants: Any, managers: Managers
) -> None:
    name = tenants.name("ws")
    other = (await tenants.workspace())["metadata"]
    theirs = {
        "apiVersion": WORKSPACES.api_version,
        "kind": "Workspace",
        "name": other["name"],
        "uid": other["uid"],
        "controller": True,
    }
    role = {"metadata": {"name": f"workspace:{name}:admin", "ownerReferences": [theirs]}, "rules": []}
    await cluster.create(CLUSTER_ROLES, role)
    async with managers(leaderElection={"enabled": False}) as manager, aiohttp.ClientSession() as session:
        await tenants.workspace(name=name)

        async def told() -> None:
            async with session.get(f"{manager.url}/debug/queues") as answer:
                view = await answer.json()
            assert view["leading"] is True
            found = {one["name"]: one for one in view["controllers"]}["workspace-controller"]
            assert (found["running"], found["workers"], found["waitsFor"]) == (True, 8, [])
            failing = {entry["object"]: entry for entry in found["failing"]["items"]}[name]
            assert f"belongs to Workspace {other['name']}" in failing["error"]
            waiting = {entry["object"]: entry for entry in found["waiting"]["items"]}[name]
            assert waiting["retries"] == failing["retries"] > 1
            assert waiting["dueInSeconds"] > 0

        await eventually(told, 60)
    await cluster.delete(CLUSTER_ROLES, f"workspace:{name}:admin")
