"""Workspaces, the namespaces in them, and who may see and do what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from harness.platform import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    IAM,
    TENANT,
    WORKSPACES,
    Client,
    roles_path,
)
from harness.waiting import eventually

NewPerson = Callable[[str], Awaitable[Client]]


def workspace_roles(workspace: str) -> set[str]:
    return {f"workspace:{workspace}:{role}" for role in ("admin", "regular", "viewer")}


async def create_namespace(client: Client, workspace: str, name: str) -> None:
    answer = await client.post(
        f"{TENANT}/workspaces/{workspace}/namespaces",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": {}}},
    )
    assert answer.status == 200, answer.text


async def test_the_admin_sees_the_system_workspace(admin: Client) -> None:
    answer = await admin.get(f"{TENANT}/workspaces")
    assert answer.status == 200
    assert "system-workspace" in answer.names
    assert answer.json["total_count"] >= 1


async def test_a_new_workspace_gets_its_roles_and_bindings(admin: Client, workspace: str) -> None:
    async def complete() -> None:
        assert workspace_roles(workspace) <= (await admin.get(CLUSTER_ROLES)).names
        assert workspace_roles(workspace) <= (await admin.get(CLUSTER_ROLE_BINDINGS)).names

    await eventually(complete, timeout=30)
    assert workspace in (await admin.get(f"{TENANT}/workspaces")).names


async def test_a_new_namespace_of_a_workspace_gets_its_roles_and_bindings(
    admin: Client, workspace: str, unique: str
) -> None:
    namespace = f"ns-{unique}"
    await create_namespace(admin, workspace, namespace)

    async def complete() -> None:
        assert {"admin", "operator", "viewer"} <= (await admin.get(roles_path(namespace))).names
        assert {"admin", "viewer"} <= (await admin.get(roles_path(namespace, "rolebindings"))).names

    await eventually(complete, timeout=30)
    listed = await admin.get(f"{TENANT}/workspaces/{workspace}/namespaces")
    assert listed.names == {namespace}


async def test_deleting_a_workspace_cleans_up_after_it(admin: Client, workspace: str, unique: str) -> None:
    namespace = f"ns-{unique}"
    await create_namespace(admin, workspace, namespace)
    assert (await admin.delete(f"{WORKSPACES}/{workspace}")).status == 200

    async def gone() -> None:
        assert (await admin.get(f"{WORKSPACES}/{workspace}")).status == 404
        assert not workspace_roles(workspace) & (await admin.get(CLUSTER_ROLES)).names
        assert not workspace_roles(workspace) & (await admin.get(CLUSTER_ROLE_BINDINGS)).names
        assert (await admin.get(f"/api/v1/namespaces/{namespace}")).status == 404

    await eventually(gone, timeout=90)


async def test_deleting_a_namespace_through_the_tenant_api_removes_it_and_its_roles(
    admin: Client, workspace: str, unique: str
) -> None:
    namespace = f"ns-{unique}"
    await create_namespace(admin, workspace, namespace)
    answer = await admin.delete(f"{TENANT}/workspaces/{workspace}/namespaces/{namespace}")
    assert answer.status == 200, answer.text

    async def gone() -> None:
        assert (await admin.get(f"/api/v1/namespaces/{namespace}")).status == 404
        assert (await admin.get(roles_path(namespace))).names == set()

    await eventually(gone, timeout=90)


async def test_a_person_without_rights_is_refused_until_made_a_member(
    admin: Client, workspace: str, unique: str, new_person: NewPerson
) -> None:
    namespace = f"ns-{unique}"
    await create_namespace(admin, workspace, namespace)
    guest = await new_person(f"guest-{unique}")
    protected = (
        f"{TENANT}/workspaces/{workspace}/namespaces",
        f"{IAM}/workspaces/{workspace}/members",
        f"/api/v1/namespaces/{namespace}/pods",
    )
    for path in protected:
        assert (await admin.get(path)).status == 200, path
        assert (await guest.get(path)).status == 403, path
    assert workspace not in (await guest.get(f"{TENANT}/workspaces")).names
    created = await guest.post(
        f"{TENANT}/workspaces/{workspace}/namespaces", {"metadata": {"name": f"intruder-{unique}"}}
    )
    assert created.status == 403

    invited = await admin.post(
        f"{IAM}/workspaces/{workspace}/members",
        {"username": guest.user, "workspace_role": "workspace-viewer"},
    )
    assert invited.status == 200, invited.text

    async def served() -> None:
        for path in protected:
            assert (await guest.get(path)).status == 200, path
        assert workspace in (await guest.get(f"{TENANT}/workspaces")).names

    await eventually(served, timeout=30)


async def test_a_member_who_is_removed_is_refused_again(
    admin: Client, workspace: str, unique: str, new_person: NewPerson
) -> None:
    guest = await new_person(f"guest-{unique}")
    members = f"{IAM}/workspaces/{workspace}/members"
    path = f"{TENANT}/workspaces/{workspace}/namespaces"
    invited = await admin.post(members, {"username": guest.user, "workspace_role": "workspace-admin"})
    assert invited.status == 200, invited.text

    async def answers(status: int) -> None:
        assert (await guest.get(path)).status == status

    await eventually(lambda: answers(200), timeout=30)
    assert (await admin.delete(f"{members}/{guest.user}")).status == 200
    await eventually(lambda: answers(403), timeout=30)


async def test_nobody_reaches_kubernetes_with_more_than_their_own_rights(
    admin: Client, unique: str, new_person: NewPerson
) -> None:
    guest = await new_person(f"guest-{unique}")
    claims = {"Impersonate-User": "admin", "Impersonate-Group": "system:masters"}
    for path in ("/api/v1/secrets", "/api/v1/nodes", CLUSTER_ROLE_BINDINGS):
        assert (await admin.get(path)).status == 200, path
        assert (await guest.get(path)).status == 403, path
        assert (await guest.get(path, headers=claims)).status == 403, path
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"escalate-{unique}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": guest.user}],
    }
    assert (await guest.post(CLUSTER_ROLE_BINDINGS, binding)).status == 403
