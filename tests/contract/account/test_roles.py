"""Roles: which there are, who has them, and what they permit; 404 for what is not there (ACCOUNT-21)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.account import IAM, unique
from harness.signed import SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.rbac import Rule, permissions
from kubekit.resource import NAMESPACES, ROLE_BINDINGS, ROLES

NewPerson = Callable[..., Awaitable[SignedClient]]
NewRole = Callable[..., Awaitable[str]]
RBAC = "rbac.authorization.k8s.io"
RECORDED = json.loads(Path(__file__).with_name("recorded-permissions.json").read_text())
EVERYTHING: dict[str, Any] = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
READER = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["configmaps"]}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda r: f"{r['table']} {r['role']}")
def test_permissions_are_simplified_as_v2_1_1_did(recorded: dict[str, Any]) -> None:
    """The rules of its built-in roles, and the permissions that it answered for them."""
    table = permissions.CLUSTER if recorded["table"] == "clusterroles" else permissions.NAMESPACE
    assert table.of(Rule.of(rule) for rule in recorded["rules"]) == recorded["permissions"]


@pytest_asyncio.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[str]:
    """A namespace that admin made, with the role reader."""
    name = unique("roles")
    metadata = {"name": name, "annotations": {"kubesphere.io/creator": "admin"}}
    await cluster.create(NAMESPACES, {"metadata": metadata})
    await cluster.create(ROLES, {"metadata": {"name": "reader"}, "rules": [READER]}, name)
    await cluster.create(ROLES, {"metadata": {"name": "admin"}, "rules": [EVERYTHING]}, name)
    yield name
    await cluster.delete(NAMESPACES, name)


async def bind(
    cluster: Cluster, namespace: str, binding: str, role: str, *users: str, kind: str = "Role"
) -> None:
    subjects = [{"kind": "User", "apiGroup": RBAC, "name": user} for user in users]
    reference = {"apiGroup": RBAC, "kind": kind, "name": role}
    body = {"metadata": {"name": binding}, "roleRef": reference, "subjects": subjects}
    await cluster.create(ROLE_BINDINGS, body, namespace)


async def shows(client: SignedClient, path: str, check: Callable[[Any], bool]) -> Any:
    """What the service answers once it has seen what was written just now."""

    async def seen() -> Any:
        answer = await client.get(f"{IAM}{path}")
        assert answer.status == 200, answer.text
        assert check(answer.json), answer.text
        return answer.json

    return await eventually(seen)


async def test_cluster_roles_are_listed_and_searched(admin: SignedClient, cluster_role: NewRole) -> None:
    name = await cluster_role(READER)
    found = await shows(admin, f"/clusterroles?conditions=name={name}", lambda j: j["total_count"] == 1)
    assert found["items"][0]["metadata"]["name"] == name
    assert found["items"][0]["rules"] == [READER]
    page = (await admin.get(f"{IAM}/clusterroles?conditions=name~system:&paging=limit=2,page=2")).json
    assert len(page["items"]) == 2
    assert page["total_count"] > 4
    assert (await admin.get(f"{IAM}/clusterroles?conditions=foo")).status == 400


async def test_a_cluster_role_shows_users_and_permissions(
    admin: SignedClient, new_person: NewPerson, cluster_role: NewRole
) -> None:
    role = await cluster_role(EVERYTHING)
    names = sorted([(await new_person(role)).identity.user for _ in range(3)])
    path = f"/clusterroles/{role}/users"
    found = await shows(admin, path, lambda j: j["total_count"] == 3)
    assert [user["username"] for user in found["items"]] == names
    reverse = (await admin.get(f"{IAM}{path}?reverse=true&paging=limit=2,page=1")).json
    assert [user["username"] for user in reverse["items"]] == names[:0:-1]
    rules = (await admin.get(f"{IAM}/clusterroles/{role}/rules")).json
    assert {"name": "workspaces", "actions": ["manage"]} in rules
    assert (await admin.get(f"{IAM}/clusterroles/nosuch/users")).json == {"items": [], "total_count": 0}
    missing = await admin.get(f"{IAM}/clusterroles/nosuch/rules")
    assert missing.status == 404
    assert missing.message == 'clusterrole.rbac.authorization.k8s.io "nosuch" not found'


async def test_roles_of_a_namespace_show_users_and_permissions(
    admin: SignedClient, new_person: NewPerson, cluster: Cluster, namespace: str
) -> None:
    person = await new_person()
    name = person.identity.user
    await bind(cluster, namespace, "readers", "reader", name, "somebody-else")
    base = f"/namespaces/{namespace}/roles"
    found = await shows(admin, base, lambda j: j["total_count"] == 2)
    assert {role["metadata"]["name"] for role in found["items"]} == {"admin", "reader"}
    users = await shows(admin, f"{base}/reader/users", bool)
    assert [(user["username"], user["role"]) for user in users] == [(name, "reader")]
    assert (await admin.get(f"{IAM}{base}/nosuch/users")).json == []
    assert (await admin.get(f"{IAM}{base}/nosuch/rules")).status == 404
    everything = (await admin.get(f"{IAM}{base}/admin/rules")).json
    assert everything == [
        {"name": p["name"], "actions": [a["name"] for a in p["actions"]]}
        for p in permissions.NAMESPACE.document
    ]
    assert (await person.get(f"{IAM}{base}")).status == 403


async def test_users_of_a_namespace_are_those_who_were_invited_and_its_creator(
    admin: SignedClient, new_person: NewPerson, cluster: Cluster, namespace: str
) -> None:
    name = (await new_person()).identity.user
    member = (await new_person()).identity.user
    await bind(cluster, namespace, "admin", "admin", "admin", member)
    await bind(cluster, namespace, "viewer", "reader", member)
    await bind(cluster, namespace, "view", "view", name, kind="ClusterRole")
    users = await shows(admin, f"/namespaces/{namespace}/users", lambda j: len(j) == 2)
    assert {(u["username"], u["role"], u["role_binding"]) for u in users} == {
        (name, "view", "view"),
        ("admin", "admin", "admin"),
    }
    assert all(u["role_bind_time"].endswith("Z") for u in users)
    assert (await admin.get(f"{IAM}/namespaces/nosuch/users")).status == 404


async def test_a_user_sees_own_roles(
    admin: SignedClient, new_person: NewPerson, cluster: Cluster, cluster_role: NewRole, namespace: str
) -> None:
    role = await cluster_role(READER)
    person, other = await new_person(role), await new_person()
    name = person.identity.user
    await bind(cluster, namespace, "readers", "reader", name)
    await bind(cluster, namespace, "view", "view", name, kind="ClusterRole")
    found = await shows(person, f"/users/{name}/roles", lambda j: len(j["roles"]) == 2)
    assert [r["metadata"]["name"] for r in found["clusterRole"]] == [role]
    assert {(r["metadata"]["name"], r["metadata"]["namespace"]) for r in found["roles"]} == {
        ("reader", namespace),
        ("view", namespace),
    }
    assert (await other.get(f"{IAM}/users/{name}/roles")).status == 403


async def test_roles_of_a_workspace(admin: SignedClient, workspace: str) -> None:
    found = await shows(admin, f"/workspaces/{workspace}/roles", lambda j: len(j) == 3)
    assert len(found) == 3
    one = (await admin.get(f"{IAM}/workspaces/{workspace}/roles/workspace-admin")).json
    assert one["metadata"]["name"] == f"workspace:{workspace}:admin"
    missing = await admin.get(f"{IAM}/workspaces/{workspace}/roles/nosuch")
    assert missing.status == 404
    assert missing.message == 'workspace role "nosuch" not found'
    assert (await admin.get(f"{IAM}/workspaces/nosuch/roles")).status == 404
    rules = (await admin.get(f"{IAM}/workspaces/{workspace}/roles/workspace-viewer/rules")).json
    assert rules == permissions.WORKSPACE["workspace-viewer"]
    assert (await admin.get(f"{IAM}/workspaces/{workspace}/roles/nosuch/rules")).json == []


async def test_roles_of_devops_projects_have_fixed_permissions(admin: SignedClient) -> None:
    for role, same_as in (("owner", "owner"), ("nosuch", "reporter")):
        answer = await admin.get(f"{IAM}/devops/x/roles/{role}/rules")
        assert answer.json == permissions.DEVOPS[same_as]


async def test_everybody_may_read_what_permissions_stand_for(new_person: NewPerson) -> None:
    person = await new_person()
    for name, table in (("clusterroles", permissions.CLUSTER), ("roles", permissions.NAMESPACE)):
        assert (await person.get(f"{IAM}/rulesmapping/{name}")).json == table.document
