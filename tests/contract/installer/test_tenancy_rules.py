"""What nobody may do to workspaces and namespaces, whatever roles they have in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import Forbidden, Invalid
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    WORKSPACES,
)
from kubekit.transport import Impersonation

pytestmark = pytest.mark.kubernetes

LABEL = "kubesphere.io/workspace"
RBAC = CLUSTER_ROLES.group
REFUSED = (Forbidden, Invalid)
OWNER, MANAGER = Impersonation("owner"), Impersonation("manager")
RULES: dict[str, list[dict[str, Any]]] = {
    "owner": [
        {
            "apiGroups": ["*"],
            "resources": ["workspaces"],
            "resourceNames": ["mine", "also-mine"],
            "verbs": ["*"],
        }
    ],
    "manager": [{"apiGroups": ["*"], "resources": ["workspaces", "workspaces/*"], "verbs": ["*"]}],
}


def bound(user: str, role: str) -> dict[str, Any]:
    return {
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }


@pytest_asyncio.fixture(scope="module", autouse=True)
async def _people(installer: Callable[..., Any], cluster: Cluster) -> AsyncIterator[None]:
    """The admin of a namespace and of two workspaces, and who manages all workspaces."""
    outcome = await installer("apply", "--profile", "dev")
    assert outcome.code == 0, outcome.err
    for user, rules in RULES.items():
        await cluster.create(CLUSTER_ROLES, {"metadata": {"name": f"test-{user}"}, "rules": rules})
        await cluster.create(
            CLUSTER_ROLE_BINDINGS, {"metadata": {"name": f"test-{user}"}, **bound(user, f"test-{user}")}
        )
    await cluster.create(NAMESPACES, {"metadata": {"name": "owned", "labels": {LABEL: "mine"}}})
    await cluster.create(
        ROLE_BINDINGS, {"metadata": {"name": "owner"}, **bound("owner", "cluster-admin")}, "owned"
    )

    async def in_force() -> None:
        # What is allowed until the rules are in force is taken back, so that it is a change each time.
        for change in (move, manage):
            try:
                await change(cluster)
            except REFUSED:
                continue
            await cluster.patch(NAMESPACES, "owned", labelled("mine"))
            await cluster.patch(WORKSPACES, "system-workspace", managed("admin"))
            raise AssertionError("the rules are not in force yet")

    await eventually(in_force, timeout=30)
    yield
    await cluster.delete(NAMESPACES, "owned")
    for user in RULES:
        await cluster.delete(CLUSTER_ROLE_BINDINGS, f"test-{user}")
        await cluster.delete(CLUSTER_ROLES, f"test-{user}")


def labelled(workspace: str | None) -> dict[str, Any]:
    return {"metadata": {"labels": {LABEL: workspace}}}


def managed(manager: str) -> dict[str, Any]:
    return {"spec": {"manager": manager}}


async def move(cluster: Cluster) -> None:
    await cluster.patch(NAMESPACES, "owned", labelled("theirs"), as_user=OWNER)


async def manage(cluster: Cluster) -> None:
    await cluster.patch(WORKSPACES, "system-workspace", managed("manager"), as_user=MANAGER)


@pytest.mark.parametrize("subresource", [None, "status"])
async def test_a_namespace_is_moved_by_the_admin_of_both_workspaces_only(
    cluster: Cluster, subresource: str | None
) -> None:
    """namespace-labels"""
    for workspace in ("theirs", "system-workspace"):
        with pytest.raises(REFUSED, match="only an admin of both workspaces"):
            await cluster.patch(
                NAMESPACES, "owned", labelled(workspace), subresource=subresource, as_user=OWNER
            )
    for workspace in ("also-mine", None, "mine"):
        await cluster.patch(NAMESPACES, "owned", labelled(workspace), subresource=subresource, as_user=OWNER)


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
        {"labels": {"kubernetes.io/any": "x"}},
        {"annotations": {"scheduler.alpha.kubernetes.io/node-selector": "a=b"}},
        {"annotations": {"k8s.io/any": "x"}},
    ],
)
async def test_what_kubernetes_decides_by_is_for_who_may_create_namespaces(
    cluster: Cluster, metadata: dict[str, Any]
) -> None:
    """namespace-labels"""
    removed = {kind: dict.fromkeys(pairs) for kind, pairs in metadata.items()}
    with pytest.raises(REFUSED, match="labels and annotations of"):
        await cluster.patch(NAMESPACES, "owned", {"metadata": metadata}, as_user=OWNER)
    await cluster.patch(NAMESPACES, "owned", {"metadata": metadata})
    with pytest.raises(REFUSED, match="labels and annotations of"):
        await cluster.patch(NAMESPACES, "owned", {"metadata": removed}, as_user=OWNER)
    await cluster.patch(NAMESPACES, "owned", {"metadata": removed})


async def test_everything_else_of_a_namespace_is_its_admins(cluster: Cluster) -> None:
    metadata = {
        "labels": {"team": "blue", "mykubernetes.io/x": "y"},
        "annotations": {
            "kubesphere.io/description": "d",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        },
    }
    await cluster.patch(NAMESPACES, "owned", {"metadata": metadata}, as_user=OWNER)


async def test_who_manages_workspaces_does_not_choose_who_manages_the_system(cluster: Cluster) -> None:
    """system-manager"""
    with pytest.raises(REFUSED, match="only an administrator of the cluster"):
        await manage(cluster)
    with pytest.raises(REFUSED, match="only an administrator of the cluster"):
        await cluster.delete(WORKSPACES, "system-workspace", as_user=MANAGER)
    alias = {"metadata": {"annotations": {"kubesphere.io/alias-name": "System"}}}
    await cluster.patch(WORKSPACES, "system-workspace", alias, as_user=MANAGER)
    for manager in ("other", "admin"):
        await cluster.patch(WORKSPACES, "system-workspace", managed(manager))
