"""Workspaces on a real cluster: what appears with one, what follows it, and what goes with it."""

from typing import Any

import pytest

from harness.services import RunningService
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    EVENTS,
    NAMESPACES,
    WORKSPACES,
    Object,
    Resource,
)

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("manager")]

ROLES = ("admin", "regular", "viewer")


def user(name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}


async def found(cluster: Cluster, resource: Resource, name: str, namespace: str | None = None) -> Object:
    try:
        return await cluster.get(resource, name, namespace)
    except NotFound as error:
        raise AssertionError(f"{resource.kind} {name} is not there") from error


async def missing(cluster: Cluster, resource: Resource, name: str, namespace: str | None = None) -> None:
    try:
        obj = await cluster.get(resource, name, namespace)
    except NotFound:
        return
    raise AssertionError(f"{resource.kind} {name} is still there: {obj['metadata']}")


async def ready(cluster: Cluster, name: str) -> Object:
    async def check() -> Object:
        workspace = await cluster.get(WORKSPACES, name)
        conditions = workspace.get("status", {}).get("conditions", [])
        assert [(c["type"], c["status"]) for c in conditions] == [("Ready", "True")]
        assert workspace["status"]["observedGeneration"] == workspace["metadata"]["generation"]
        return workspace

    return await eventually(check, 20)


async def members(cluster: Cluster, workspace: str, role: str) -> list[str]:
    binding = await found(cluster, CLUSTER_ROLE_BINDINGS, f"workspace:{workspace}:{role}")
    return [subject["name"] for subject in binding.get("subjects") or []]


async def test_a_workspace_gets_its_roles_and_bindings(cluster: Cluster, tenants: Any) -> None:
    name = (await tenants.workspace(manager="alice"))["metadata"]["name"]
    workspace = await ready(cluster, name)
    assert workspace["metadata"]["finalizers"] == ["finalizers.tenant.kubesphere.io"]
    for role in ROLES:
        for resource in (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS):
            obj = await found(cluster, resource, f"workspace:{name}:{role}")
            (owner,) = obj["metadata"]["ownerReferences"]
            assert (owner["uid"], owner["controller"]) == (workspace["metadata"]["uid"], True)
    assert [await members(cluster, name, role) for role in ROLES] == [["alice"], [], []]


async def test_a_new_manager_joins_the_admins(cluster: Cluster, tenants: Any) -> None:
    name = (await tenants.workspace(manager="alice"))["metadata"]["name"]
    await ready(cluster, name)
    await cluster.patch(WORKSPACES, name, {"spec": {"manager": "bob"}})

    async def joined() -> None:
        assert await members(cluster, name, "admin") == ["alice", "bob"]

    await eventually(joined)
    await ready(cluster, name)


async def test_members_whom_others_add_stay(cluster: Cluster, tenants: Any) -> None:
    name = (await tenants.workspace(manager="alice"))["metadata"]["name"]
    await ready(cluster, name)
    binding = f"workspace:{name}:admin"
    await cluster.patch(CLUSTER_ROLE_BINDINGS, binding, {"subjects": [user("carol")]})

    async def both() -> None:
        assert await members(cluster, name, "admin") == ["carol", "alice"]

    await eventually(both)


async def test_rules_that_somebody_edits_are_set_right_and_their_labels_kept(
    cluster: Cluster, tenants: Any
) -> None:
    name = (await tenants.workspace())["metadata"]["name"]
    await ready(cluster, name)
    role = f"workspace:{name}:viewer"
    right = (await cluster.get(CLUSTER_ROLES, role))["rules"]
    edit = {
        "rules": [],
        "metadata": {"labels": {"team": "x"}, "annotations": {"kubesphere.io/creator": "me"}},
    }
    await cluster.patch(CLUSTER_ROLES, role, edit)

    async def repaired() -> None:
        obj = await cluster.get(CLUSTER_ROLES, role)
        assert obj["rules"] == right
        assert obj["metadata"]["annotations"]["kubesphere.io/creator"] == "system"
        assert obj["metadata"]["labels"]["team"] == "x"

    await eventually(repaired)


async def test_what_somebody_deletes_comes_back(cluster: Cluster, tenants: Any) -> None:
    name = (await tenants.workspace(manager="alice"))["metadata"]["name"]
    await ready(cluster, name)
    for resource in (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS):
        await cluster.delete(resource, f"workspace:{name}:admin")
    for resource in (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS):
        await eventually(lambda resource=resource: found(cluster, resource, f"workspace:{name}:admin"))


async def test_a_binding_to_another_role_is_replaced_and_its_members_kept(
    cluster: Cluster, tenants: Any
) -> None:
    name = tenants.name("ws")
    wrong = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-regular"}
    meta = {"name": f"workspace:{name}:viewer"}
    await cluster.create(
        CLUSTER_ROLE_BINDINGS, {"metadata": meta, "roleRef": wrong, "subjects": [user("dave")]}
    )
    await tenants.workspace(name=name)
    await ready(cluster, name)
    binding = await cluster.get(CLUSTER_ROLE_BINDINGS, f"workspace:{name}:viewer")
    assert binding["roleRef"]["name"] == f"workspace:{name}:viewer"
    assert binding["subjects"] == [user("dave")]


async def test_what_belongs_to_somebody_else_is_not_taken_and_the_reason_is_said(
    cluster: Cluster, tenants: Any
) -> None:
    name = tenants.name("ws")
    other = await tenants.workspace()
    owner = {
        "apiVersion": WORKSPACES.api_version,
        "kind": "Workspace",
        "name": other["metadata"]["name"],
        "uid": other["metadata"]["uid"],
        "controller": True,
    }
    role = f"workspace:{name}:admin"
    await cluster.create(CLUSTER_ROLES, {"metadata": {"name": role, "ownerReferences": [owner]}, "rules": []})
    await tenants.workspace(name=name)

    async def refused() -> None:
        conditions = (await cluster.get(WORKSPACES, name)).get("status", {}).get("conditions", [])
        assert [(c["status"], c["reason"]) for c in conditions] == [("False", "OwnedByAnother")]
        assert role in conditions[0]["message"]
        events = await cluster.list(EVENTS, "default", field_selector=f"involvedObject.name={name}")
        assert {(event["type"], event["reason"]) for event in events.items} == {("Warning", "OwnedByAnother")}

    await eventually(refused)
    await cluster.delete(CLUSTER_ROLES, role)
    await ready(cluster, name)


async def test_a_workspace_takes_its_roles_and_namespaces_with_it(cluster: Cluster, tenants: Any) -> None:
    name = (await tenants.workspace())["metadata"]["name"]
    inside = (await tenants.namespace(name, creator="alice"))["metadata"]["name"]
    outside = (await tenants.namespace())["metadata"]["name"]
    await ready(cluster, name)

    async def bound() -> None:
        assert (await cluster.get(NAMESPACES, inside))["metadata"].get("ownerReferences")

    await eventually(bound)
    await cluster.delete(WORKSPACES, name)
    await eventually(lambda: missing(cluster, WORKSPACES, name), 30)
    for role in ROLES:
        for resource in (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS):
            await eventually(
                lambda resource=resource, role=role: missing(cluster, resource, f"workspace:{name}:{role}"),
                60,
            )
    await eventually(lambda: missing(cluster, NAMESPACES, inside), 90)
    assert (await found(cluster, NAMESPACES, outside))["status"]["phase"] == "Active"


async def test_namespaces_that_outlive_their_workspace_are_in_no_other_of_its_name(
    cluster: Cluster, tenants: Any
) -> None:
    """orphaned-namespaces"""
    name = (await tenants.workspace())["metadata"]["name"]
    inside = (await tenants.namespace(name, creator="alice"))["metadata"]["name"]
    await ready(cluster, name)

    async def bound() -> None:
        assert (await cluster.get(NAMESPACES, inside))["metadata"].get("ownerReferences")

    await eventually(bound, 30)
    await cluster.delete(WORKSPACES, name, propagation="Orphan")
    await eventually(lambda: missing(cluster, WORKSPACES, name), 60)

    async def unbound() -> None:
        namespace = await cluster.get(NAMESPACES, inside)
        assert namespace["status"]["phase"] == "Active"
        assert "kubesphere.io/workspace" not in (namespace["metadata"].get("labels") or {})
        assert namespace["metadata"].get("ownerReferences") is None

    await eventually(unbound, 60)


async def test_a_workspace_that_others_hold_says_who(cluster: Cluster, tenants: Any) -> None:
    name = (await tenants.workspace())["metadata"]["name"]
    await ready(cluster, name)
    finalizers = ["finalizers.tenant.kubesphere.io", "example.com/hold"]
    await cluster.patch(WORKSPACES, name, {"metadata": {"finalizers": finalizers}})
    await cluster.delete(WORKSPACES, name)

    async def said() -> None:
        workspace = await cluster.get(WORKSPACES, name)
        assert workspace["metadata"]["finalizers"] == ["example.com/hold"]
        assert (
            workspace["status"]["conditions"][0]["message"] == "Waiting for the finalizers example.com/hold."
        )
        events = await cluster.list(EVENTS, "default", field_selector=f"involvedObject.name={name}")
        told = {(event["reason"], event["message"]) for event in events.items}
        assert ("DeletionWaits", "Waiting for the finalizers example.com/hold.") in told

    await eventually(said)
    await cluster.patch(WORKSPACES, name, {"metadata": {"finalizers": None}})
    await eventually(lambda: missing(cluster, WORKSPACES, name))


async def test_a_workspace_takes_along_what_is_in_it_and_nothing_that_has_just_left(
    cluster: Cluster, tenants: Any, manager: RunningService
) -> None:
    """last-moves"""
    name, other = [(await tenants.workspace())["metadata"]["name"] for _ in range(2)]
    moved, out = [(await tenants.namespace(name))["metadata"]["name"] for _ in range(2)]

    async def owned_by(namespace: str, workspace: str | None) -> None:
        owners = (await cluster.get(NAMESPACES, namespace))["metadata"].get("ownerReferences", [])
        assert [one["name"] for one in owners] == ([workspace] if workspace else [])

    await eventually(lambda: owned_by(moved, name), 60)
    await eventually(lambda: owned_by(out, name), 60)
    await manager.stop()
    try:
        await cluster.patch(NAMESPACES, moved, {"metadata": {"labels": {"kubesphere.io/workspace": other}}})
        await cluster.patch(NAMESPACES, out, {"metadata": {"labels": {"kubesphere.io/workspace": None}}})
        late = (await tenants.namespace(name))["metadata"]["name"]
        await cluster.delete(WORKSPACES, name)
    finally:
        await manager.start()
    await eventually(lambda: missing(cluster, WORKSPACES, name), 60)
    await eventually(lambda: missing(cluster, NAMESPACES, late), 120)
    await owned_by(moved, other)
    await owned_by(out, None)
    for namespace in (moved, out):
        assert (await cluster.get(NAMESPACES, namespace))["status"]["phase"] == "Active"


async def test_deleting_the_system_workspace_deletes_no_namespace(
    cluster: Cluster, manager: RunningService
) -> None:
    """system-namespaces"""
    workspace = await ready(cluster, "system-workspace")
    owner = {
        "apiVersion": WORKSPACES.api_version,
        "kind": "Workspace",
        "name": "system-workspace",
        "uid": workspace["metadata"]["uid"],
    }
    await manager.stop()
    # As v2.1.1 leaves it.
    await cluster.patch(NAMESPACES, "kube-node-lease", {"metadata": {"ownerReferences": [owner]}})
    await cluster.delete(WORKSPACES, "system-workspace")
    await manager.start()
    try:
        await eventually(lambda: missing(cluster, WORKSPACES, "system-workspace"), 30)
        namespace = await found(cluster, NAMESPACES, "kube-node-lease")
        assert namespace["metadata"].get("ownerReferences") is None
        assert namespace["status"]["phase"] == "Active"
    finally:
        body = {
            "apiVersion": WORKSPACES.api_version,
            "kind": "Workspace",
            "metadata": {"name": "system-workspace"},
        }
        await cluster.apply(WORKSPACES, body | {"spec": {"manager": "admin"}}, field_manager="ks-installer")
