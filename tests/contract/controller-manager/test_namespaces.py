"""Namespaces on a real cluster: their roles, their members, and how they leave a workspace."""

from typing import Any

import pytest

from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    DEPLOYMENTS,
    EVENTS,
    NAMESPACES,
    RESOURCE_QUOTAS,
    ROLE_BINDINGS,
    ROLES,
    SERVICES,
    WORKSPACES,
    Resource,
)

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("manager")]

LABEL = "kubesphere.io/workspace"
FINALIZER = "finalizers.kubesphere.io/namespaces"
API = "rbac.authorization.k8s.io"


def users(*names: str) -> list[dict[str, str]]:
    return [{"apiGroup": API, "kind": "User", "name": name} for name in names]


async def bindings(cluster: Cluster, namespace: str) -> dict[str, list[str]]:
    """Who is in each RoleBinding of the namespace."""
    found = (await cluster.list(ROLE_BINDINGS, namespace)).items
    return {b["metadata"]["name"]: [s["name"] for s in b.get("subjects") or []] for b in found}


async def roles(cluster: Cluster, namespace: str) -> set[str]:
    return {role["metadata"]["name"] for role in (await cluster.list(ROLES, namespace)).items}


async def becomes(cluster: Cluster, namespace: str, wanted: dict[str, list[str]]) -> None:
    async def check() -> None:
        assert await bindings(cluster, namespace) == wanted

    await eventually(check, 20)


async def absent(cluster: Cluster, name: str, resource: Resource = NAMESPACES) -> None:
    try:
        left = await cluster.get(resource, name)
    except NotFound:
        return
    raise AssertionError(f"{name} is still there: {left['metadata']}, {left.get('status')}")


async def invite(cluster: Cluster, workspace: str, role: str, *names: str) -> None:
    """As ks-account writes the members of a workspace."""
    name = f"workspace:{workspace}:{role}"

    async def check() -> None:
        try:
            await cluster.patch(CLUSTER_ROLE_BINDINGS, name, {"subjects": users(*names)})
        except NotFound as error:
            raise AssertionError(name) from error

    await eventually(check)


@pytest.fixture
async def workspace(tenants: Any) -> str:
    return (await tenants.workspace(manager="mia"))["metadata"]["name"]


async def test_a_namespace_of_a_workspace_gets_its_roles_and_bindings(
    cluster: Cluster, tenants: Any, workspace: str
) -> None:
    name = (await tenants.namespace(workspace, creator="alice"))["metadata"]["name"]
    await becomes(cluster, name, {"admin": ["mia"], "admin-alice": ["alice"], "viewer": []})
    assert await roles(cluster, name) == {"admin", "operator", "viewer"}
    meta = (await cluster.get(NAMESPACES, name))["metadata"]
    assert meta["finalizers"] == [FINALIZER]
    assert [owner["name"] for owner in meta["ownerReferences"]] == [workspace]


async def test_members_of_the_workspace_follow_in_its_namespaces(
    cluster: Cluster, tenants: Any, workspace: str
) -> None:
    names = [(await tenants.namespace(workspace))["metadata"]["name"] for _ in range(3)]
    await invite(cluster, workspace, "admin", "mia", "erin")
    await invite(cluster, workspace, "viewer", "dave")
    for name in names:
        await becomes(cluster, name, {"admin": ["mia", "erin"], "viewer": ["dave"]})
    await invite(cluster, workspace, "admin", "mia")
    await invite(cluster, workspace, "viewer")
    for name in names:
        await becomes(cluster, name, {"admin": ["mia"], "viewer": []})


async def test_a_namespace_of_no_workspace_is_left_alone(cluster: Cluster, tenants: Any) -> None:
    """user-bindings"""
    name = (await tenants.namespace(creator="alice"))["metadata"]["name"]
    own = {"metadata": {"name": "admin", "namespace": name}, "subjects": users("zoe")}
    ref = {"apiGroup": API, "kind": "Role", "name": "admin"}
    await cluster.create(ROLES, {"metadata": {"name": "admin", "namespace": name}, "rules": []})
    await cluster.create(ROLE_BINDINGS, own | {"roleRef": ref})
    other = (await tenants.namespace((await tenants.workspace())["metadata"]["name"]))["metadata"]["name"]
    await becomes(cluster, other, {"admin": ["admin"], "viewer": []})
    assert await bindings(cluster, name) == {"admin": ["zoe"]}
    meta = (await cluster.get(NAMESPACES, name))["metadata"]
    assert meta.get("finalizers") is None


async def test_bindings_and_roles_of_users_stay(cluster: Cluster, tenants: Any, workspace: str) -> None:
    name = (await tenants.namespace(workspace))["metadata"]["name"]
    await becomes(cluster, name, {"admin": ["mia"], "viewer": []})
    await cluster.create(ROLES, {"metadata": {"name": "reader", "namespace": name}, "rules": []})
    ref = {"apiGroup": API, "kind": "Role", "name": "operator"}
    meta = {"name": "alice-op", "namespace": name}
    await cluster.create(ROLE_BINDINGS, {"metadata": meta, "roleRef": ref, "subjects": users("alice")})
    await invite(cluster, workspace, "viewer", "dave")
    await becomes(cluster, name, {"admin": ["mia"], "viewer": ["dave"], "alice-op": ["alice"]})
    assert "reader" in await roles(cluster, name)


async def test_what_is_edited_by_hand_is_set_right(cluster: Cluster, tenants: Any, workspace: str) -> None:
    name = (await tenants.namespace(workspace, creator="alice"))["metadata"]["name"]
    right = {"admin": ["mia"], "admin-alice": ["alice"], "viewer": []}
    await becomes(cluster, name, right)
    await cluster.patch(ROLE_BINDINGS, "admin", {"subjects": users("eve")}, name)
    await cluster.patch(ROLE_BINDINGS, "admin-alice", {"subjects": users("eve")}, name)
    await cluster.delete(ROLE_BINDINGS, "viewer", name)
    before = (await cluster.get(ROLES, "viewer", name))["rules"]
    await cluster.patch(ROLES, "viewer", {"rules": []}, name)
    await becomes(cluster, name, right)

    async def repaired() -> None:
        assert (await cluster.get(ROLES, "viewer", name))["rules"] == before

    await eventually(repaired)


async def test_a_namespace_that_leaves_its_workspace_loses_the_members(
    cluster: Cluster, tenants: Any, workspace: str
) -> None:
    name = (await tenants.namespace(workspace, creator="alice"))["metadata"]["name"]
    await becomes(cluster, name, {"admin": ["mia"], "admin-alice": ["alice"], "viewer": []})
    await cluster.patch(NAMESPACES, name, {"metadata": {"labels": {LABEL: None}}})
    await becomes(cluster, name, {"admin-alice": ["alice"]})

    async def free() -> None:
        meta = (await cluster.get(NAMESPACES, name))["metadata"]
        assert (meta.get("ownerReferences"), meta.get("finalizers")) == (None, None)

    await eventually(free)
    await cluster.delete(WORKSPACES, workspace)
    await eventually(lambda: absent(cluster, workspace, WORKSPACES), 30)
    assert (await cluster.get(NAMESPACES, name))["status"]["phase"] == "Active"


async def test_members_leave_with_the_workspace_though_their_role_is_gone(
    cluster: Cluster, tenants: Any, workspace: str
) -> None:
    """user-bindings"""
    name = (await tenants.namespace(workspace))["metadata"]["name"]
    await becomes(cluster, name, {"admin": ["mia"], "viewer": []})
    own = (await tenants.namespace())["metadata"]["name"]
    ref = {"apiGroup": API, "kind": "Role", "name": "viewer"}
    meta = {"name": "viewer", "namespace": own}
    await cluster.create(ROLE_BINDINGS, {"metadata": meta, "roleRef": ref, "subjects": users("zoe")})
    await cluster.patch(NAMESPACES, name, {"metadata": {"labels": {LABEL: None}}})
    for role in ("viewer", "admin"):
        await cluster.delete(ROLES, role, name)
    await becomes(cluster, name, {})
    assert await bindings(cluster, own) == {"viewer": ["zoe"]}


async def test_a_namespace_can_move_to_another_workspace(
    cluster: Cluster, tenants: Any, workspace: str
) -> None:
    """namespace-moves"""
    other = (await tenants.workspace(manager="otto"))["metadata"]["name"]
    name = (await tenants.namespace(workspace))["metadata"]["name"]
    await becomes(cluster, name, {"admin": ["mia"], "viewer": []})
    await cluster.patch(NAMESPACES, name, {"metadata": {"labels": {LABEL: other}}})
    await becomes(cluster, name, {"admin": ["otto"], "viewer": []})

    async def owned() -> None:
        owners = (await cluster.get(NAMESPACES, name))["metadata"]["ownerReferences"]
        assert [owner["name"] for owner in owners] == [other]

    await eventually(owned)


async def test_a_namespace_may_be_there_before_its_workspace(cluster: Cluster, tenants: Any) -> None:
    future = tenants.name("ws")
    name = (await tenants.namespace(future, creator="alice"))["metadata"]["name"]
    await becomes(cluster, name, {"admin-alice": ["alice"]})
    await tenants.workspace(manager="mia", name=future)
    await becomes(cluster, name, {"admin": ["mia"], "admin-alice": ["alice"], "viewer": []})


async def test_a_namespace_takes_its_router_with_it(cluster: Cluster, tenants: Any, workspace: str) -> None:
    name = (await tenants.namespace(workspace))["metadata"]["name"]
    await becomes(cluster, name, {"admin": ["mia"], "viewer": []})
    meta = {"name": f"kubesphere-router-{name}", "namespace": "kubesphere-controls-system"}
    labels = {"app": meta["name"]}
    container = {"name": "c", "image": "router"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    await cluster.create(DEPLOYMENTS, {"metadata": meta, "spec": spec})
    await cluster.create(SERVICES, {"metadata": meta, "spec": {"ports": [{"port": 80}]}})
    await cluster.delete(NAMESPACES, name)
    await eventually(lambda: absent(cluster, name), 60)
    for resource in (DEPLOYMENTS, SERVICES):
        left = (await cluster.list(resource, meta["namespace"])).items
        assert meta["name"] not in [obj["metadata"]["name"] for obj in left]


async def test_what_the_cluster_refuses_in_a_namespace_is_said_on_it(cluster: Cluster, tenants: Any) -> None:
    name = (await tenants.namespace())["metadata"]["name"]
    hard = {"count/roles.rbac.authorization.k8s.io": "0", "count/rolebindings.rbac.authorization.k8s.io": "0"}
    await cluster.create(RESOURCE_QUOTAS, {"metadata": {"name": "none"}, "spec": {"hard": hard}}, name)

    async def counted() -> None:
        quota = await cluster.get(RESOURCE_QUOTAS, "none", name)
        assert (quota.get("status") or {}).get("hard") == hard

    await eventually(counted, 60)
    workspace = (await tenants.workspace())["metadata"]["name"]
    await cluster.patch(NAMESPACES, name, {"metadata": {"labels": {LABEL: workspace}}})

    async def said() -> None:
        events = (await cluster.list(EVENTS, "default", field_selector=f"involvedObject.name={name}")).items
        messages = [event["message"] for event in events if event["reason"] == "Forbidden"]
        assert any("roles of the namespace" in text and "exceeded quota" in text for text in messages)
        assert any("members of the namespace" in text for text in messages)

    await eventually(said, 60)
    assert "exceeded quota" in await is_ready(cluster, name, "False", "Forbidden")
    owners = (await cluster.get(NAMESPACES, name))["metadata"]["ownerReferences"]
    assert [owner["name"] for owner in owners] == [workspace]
    await cluster.delete(RESOURCE_QUOTAS, "none", name)

    async def settled() -> None:
        assert await roles(cluster, name) == {"admin", "operator", "viewer"}

    await eventually(settled, 60)
    await is_ready(cluster, name, "True", "Reconciled")
    await cluster.patch(NAMESPACES, name, {"metadata": {"labels": {LABEL: None}}})

    async def silent() -> None:
        assert "conditions" not in (await cluster.get(NAMESPACES, name))["status"]

    await eventually(silent, 60)


async def test_a_namespace_of_a_workspace_that_is_not_there_says_so(cluster: Cluster, tenants: Any) -> None:
    """namespace-status"""
    workspace = tenants.name("ws")
    name = (await tenants.namespace(workspace))["metadata"]["name"]
    assert f"there is no workspace {workspace}" in await is_ready(cluster, name, "False", "WorkspaceNotFound")
    events = (await cluster.list(EVENTS, "default", field_selector=f"involvedObject.name={name}")).items
    assert [event["reason"] for event in events] == ["WorkspaceNotFound"]
    await tenants.workspace(name=workspace)
    await is_ready(cluster, name, "True", "Reconciled")


async def is_ready(cluster: Cluster, name: str, status: str, reason: str) -> str:
    """Waits until the namespace says whether it is ready; gives the message."""

    async def check() -> str:
        conditions = (await cluster.get(NAMESPACES, name))["status"].get("conditions", [])
        found = {one["type"]: one for one in conditions}["kubesphere.io/Ready"]
        assert (found["status"], found["reason"]) == (status, reason)
        return found["message"]

    return await eventually(check, 60)
