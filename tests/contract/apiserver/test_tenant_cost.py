"""What a list of one's own namespaces costs does not depend on how many the cluster has."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from harness.fake_api_server import running_fake_cluster
from harness.waiting import eventually
from ks_apiserver.tenant.access import Access
from ks_apiserver.tenant.namespaces import Namespaces
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.rbac import RbacIndex
from servicekit.paging import PageQuery, parse_conditions

RBAC = "/apis/rbac.authorization.k8s.io/v1"
KINDS = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
MANY = 5_000
QUERIES = (
    PageQuery(),
    PageQuery(order_by="name", reverse=True),
    PageQuery(conditions=parse_conditions("keyword=team")),
)


def calls(work: Callable[[], Any]) -> int:
    """How many functions of Python's are called in `work`, which is the same each time."""
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event in ("call", "c_call"):
            counted["calls"] += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted["calls"]


def namespace(number: int) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"team-{number:05d}",
            "labels": {"kubesphere.io/workspace": f"ws-{number % 50}"},
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
    }


def binding(number: int, person: str) -> dict[str, Any]:
    return {
        "metadata": {"name": f"of-{person}", "namespace": f"team-{number:05d}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": person}],
    }


@pytest.mark.timeout(180)
async def test_a_list_of_ones_own_looks_at_no_others(tmp_path: Path) -> None:
    paths = ("/api/v1/namespaces", *(f"{RBAC}/{kind}" for kind in KINDS))
    async with running_fake_cluster(tmp_path, *paths) as (fakes, kubeconfig):
        there = fakes[paths[0]]
        for number in range(10):
            there.put(namespace(number))
        rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}
        fakes[f"{RBAC}/clusterroles"].put({"metadata": {"name": "view"}, "rules": [rule]})
        bindings = fakes[f"{RBAC}/rolebindings"]
        for number in range(3):
            bindings.put(binding(number, "alice"))
        async with Cluster(ClusterConfig(kubeconfig=str(kubeconfig))) as cluster:
            rbac = RbacIndex(cluster)
            await rbac.open()
            await rbac.synced()
            namespaces = Namespaces(cluster, Access(rbac))

            def listed(query: PageQuery, workspace: str | None = None, person: str = "alice") -> int:
                return namespaces.page(person, (), query, workspace).total

            async def known(count: int, last: str) -> None:
                """Waits for all namespaces, and for the binding made last: each that comes is looked at."""

                async def all_there() -> None:
                    assert len(namespaces._cache) == count
                    assert listed(PageQuery(), person=last)

                await eventually(all_there, timeout=60)

            await known(10, "alice")
            assert [listed(query) for query in QUERIES] == [3, 3, 3]
            few = [calls(lambda query=query: listed(query)) for query in QUERIES]
            of_one = calls(lambda: listed(PageQuery(), "ws-1"))
            for number in range(10, MANY):
                there.put(namespace(number))
                bindings.put(binding(number, f"other-{number}"))
            await known(MANY, f"other-{MANY - 1}")
            assert [listed(query) for query in QUERIES] == [3, 3, 3]
            assert [calls(lambda query=query: listed(query)) for query in QUERIES] == few
            assert listed(PageQuery(), "ws-1") == 1
            # One by one through the three of alice's now, not through the hundred of the workspace.
            assert calls(lambda: listed(PageQuery(), "ws-1")) < 2 * of_one
