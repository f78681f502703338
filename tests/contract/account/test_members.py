"""Members of workspaces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from harness.account import IAM, unique
from harness.signed import SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.resource import CLUSTER_ROLE_BINDINGS, WORKSPACES

NewPerson = Callable[..., Awaitable[SignedClient]]


def members_of(workspace: str) -> str:
    return f"{IAM}/workspaces/{workspace}/members"


def invitation(person: SignedClient, role: str) -> dict[str, str]:
    return {"username": person.identity.user, "workspace_role": f"workspace-{role}"}


async def users_of(cluster: Cluster, workspace: str, role: str) -> list[str]:
    binding = await cluster.get(CLUSTER_ROLE_BINDINGS, f"workspace:{workspace}:{role}")
    return [subject["name"] for subject in binding.get("subjects") or []]


async def known(client: SignedClient, workspace: str) -> None:
    """Waits until the service has seen the workspace and what the client may do in it."""

    async def served() -> None:
        answer = await client.get(members_of(workspace))
        assert answer.status == 200, answer.text

    await eventually(served)


async def test_a_member_is_invited_changed_and_removed(
    admin: SignedClient, workspace: str, new_person: NewPerson, cluster: Cluster
) -> None:
    await known(admin, workspace)
    person = await new_person()
    name, path = person.identity.user, members_of(workspace)
    for _ in range(2):
        assert (await admin.post(path, invitation(person, "regular"))).json == {"message": "success"}
    assert await users_of(cluster, workspace, "regular") == [name]
    assert (await admin.post(path, invitation(person, "viewer"))).status == 200
    assert await users_of(cluster, workspace, "regular") == []
    assert await users_of(cluster, workspace, "viewer") == [name]

    async def shown() -> None:
        answer = await admin.get(f"{path}/{name}")
        assert answer.status == 200, answer.text
        assert answer.json["workspace_role"] == "workspace-viewer"

    await eventually(shown)
    listed = (await admin.get(path)).json
    assert {item["username"]: item["workspace_role"] for item in listed["items"]} == {
        "admin": "workspace-admin",
        name: "workspace-viewer",
    }
    assert listed["total_count"] == 2
    assert (await admin.delete(f"{path}/{name}")).json == {"message": "success"}
    assert await users_of(cluster, workspace, "viewer") == []

    async def gone() -> None:
        answer = await admin.get(f"{path}/{name}")
        assert answer.status == 404
        assert answer.message == f'workspace user "{name}" not found'

    await eventually(gone)
    assert (await admin.delete(f"{path}/{name}")).status == 404


async def test_who_or_what_does_not_exist_is_not_found(
    admin: SignedClient, workspace: str, new_person: NewPerson, cluster: Cluster
) -> None:
    """ACCOUNT-15: v2.1.1 invited anybody, and answered 500 or an empty list."""
    await known(admin, workspace)
    person = await new_person()
    path, nowhere = members_of(workspace), members_of("nosuch")
    ghost = {"username": unique("ghost"), "workspace_role": "workspace-viewer"}
    assert (await admin.post(path, ghost)).status == 404
    assert ghost["username"] not in await users_of(cluster, workspace, "viewer")
    assert (await admin.post(path, invitation(person, "nosuch"))).status == 404
    assert (await admin.post(nowhere, invitation(person, "viewer"))).status == 404
    assert (await admin.get(nowhere)).status == 404
    assert (await admin.delete(f"{nowhere}/admin")).status == 404
    assert (await admin.post(path, {"workspace_role": "workspace-viewer"})).status == 400


async def test_invitations_at_once_are_not_lost(
    admin: SignedClient, workspace: str, new_person: NewPerson, cluster: Cluster
) -> None:
    await known(admin, workspace)
    people = [await new_person() for _ in range(12)]
    answers = await asyncio.gather(
        *(admin.post(members_of(workspace), invitation(person, "regular")) for person in people)
    )
    assert [answer.status for answer in answers] == [200] * 12
    assert sorted(await users_of(cluster, workspace, "regular")) == sorted(p.identity.user for p in people)


async def test_two_roles_at_once_leave_one_of_them(
    admin: SignedClient, workspace: str, new_person: NewPerson, cluster: Cluster
) -> None:
    await known(admin, workspace)
    person = await new_person()
    roles = ("admin", "regular", "viewer") * 3
    answers = await asyncio.gather(
        *(admin.post(members_of(workspace), invitation(person, role)) for role in roles)
    )
    assert {answer.status for answer in answers} <= {200, 409}
    found = [
        r
        for r in ("admin", "regular", "viewer")
        if person.identity.user in await users_of(cluster, workspace, r)
    ]
    assert len(found) == 1


async def test_a_member_may_do_what_the_role_says_and_no_more(
    admin: SignedClient, workspace: str, new_person: NewPerson
) -> None:
    await known(admin, workspace)
    path = members_of(workspace)
    stranger, viewer, owner = await new_person(), await new_person(), await new_person()
    assert (await admin.post(path, invitation(viewer, "viewer"))).status == 200
    assert (await admin.post(path, invitation(owner, "admin"))).status == 200
    await known(viewer, workspace)
    await known(owner, workspace)
    for method, target, body in (
        ("GET", path, None),
        ("GET", f"{path}/admin", None),
        ("POST", path, invitation(stranger, "admin")),
        ("DELETE", f"{path}/{viewer.identity.user}", None),
    ):
        assert (await stranger.request(method, target, body=body)).status == 403, (method, target)
    assert (await viewer.post(path, invitation(viewer, "admin"))).status == 403
    assert (await viewer.delete(f"{path}/{owner.identity.user}")).status == 403
    assert (await owner.post(path, invitation(stranger, "viewer"))).status == 200


async def test_nobody_hands_out_a_role_above_their_own(
    admin: SignedClient,
    workspace: str,
    new_person: NewPerson,
    cluster_role: Callable[..., Awaitable[str]],
) -> None:
    """ACCOUNT-11."""
    rule: dict[str, Any] = {"apiGroups": ["*"], "resourceNames": [workspace]}
    role = await cluster_role(
        {**rule, "resources": ["workspaces/members"], "verbs": ["*"]},
        {**rule, "resources": ["workspaces", "workspaces/*"], "verbs": ["get", "list"]},
    )
    host, guest = await new_person(role), await new_person()
    await known(host, workspace)
    assert (await host.post(members_of(workspace), invitation(host, "admin"))).status == 403
    assert (await host.post(members_of(workspace), invitation(guest, "viewer"))).status == 200


async def test_who_manages_workspaces_gets_nobody_into_the_system_workspace(
    admin: SignedClient,
    system_workspace: str,
    new_person: NewPerson,
    cluster_role: Callable[..., Awaitable[str]],
) -> None:
    """ACCOUNT-22: its members are bound in kube-system, where an admin takes over the cluster."""
    everywhere = {"apiGroups": ["*"], "resources": ["workspaces", "workspaces/*"], "verbs": ["*"]}
    manager = await new_person(await cluster_role(everywhere))
    await known(manager, system_workspace)
    path = members_of(system_workspace)
    for role in ("admin", "regular", "viewer"):
        assert (await manager.post(path, invitation(manager, role))).status == 403, role
    assert (await admin.post(path, invitation(manager, "viewer"))).status == 200
    assert (await manager.post(path, invitation(manager, "admin"))).status == 403


async def test_the_last_administrator_of_a_workspace_stays(
    admin: SignedClient, workspace: str, new_person: NewPerson
) -> None:
    """ACCOUNT-16."""
    await known(admin, workspace)
    path = members_of(workspace)
    removed = await admin.delete(f"{path}/admin")
    assert removed.status == 409, removed.text
    assert removed.json["reason"] == "LastAdministrator"
    demoted = await admin.post(path, {"username": "admin", "workspace_role": "workspace-viewer"})
    assert demoted.status == 409
    other = await new_person()
    assert (await admin.post(path, invitation(other, "admin"))).status == 200

    async def free_to_go() -> None:
        assert (await admin.delete(f"{path}/admin")).status == 200

    await eventually(free_to_go)


@pytest.mark.parametrize("demoted", [False, True])
async def test_a_manager_who_is_no_administrator_any_more_does_not_become_one_again(
    admin: SignedClient, workspace: str, new_person: NewPerson, cluster: Cluster, demoted: bool
) -> None:
    """ACCOUNT-23: the controllers put the manager of a workspace into its administrators, over and over."""
    await known(admin, workspace)
    manager, host = await new_person(), await new_person()
    path, name = members_of(workspace), manager.identity.user
    for person in (manager, host):
        assert (await admin.post(path, invitation(person, "admin"))).status == 200
    await cluster.patch(WORKSPACES, workspace, {"spec": {"manager": name}})

    async def gone() -> None:
        viewer = invitation(manager, "viewer")
        answer = await (host.post(path, viewer) if demoted else host.delete(f"{path}/{name}"))
        assert answer.status == 200, answer.text

    await eventually(gone)
    assert "manager" not in (await cluster.get(WORKSPACES, workspace))["spec"]
    assert name not in await users_of(cluster, workspace, "admin")


async def test_members_are_paged_sorted_and_searched(
    admin: SignedClient, workspace: str, new_person: NewPerson
) -> None:
    await known(admin, workspace)
    path = members_of(workspace)
    people = [await new_person(username=unique(f"m{letter}")) for letter in "ba"]
    for person in people:
        assert (await admin.post(path, invitation(person, "regular"))).status == 200
    b, a = (person.identity.user for person in people)

    async def listed(query: str) -> list[str]:
        answer = await admin.get(f"{path}?{query}")
        assert answer.status == 200, answer.text
        return [item["username"] for item in answer.json["items"]]

    async def complete() -> None:
        assert await listed("") == ["admin", a, b]

    await eventually(complete)
    assert await listed("reverse=true") == [b, a, "admin"]
    assert await listed("paging=limit=1,page=2") == [a]
    assert await listed("paging=limit=-1,page=1") == ["admin", a, b]
    assert await listed(f"conditions=keyword={a}") == [a]
    assert await listed(f"conditions=name={a}%7Cadmin") == ["admin", a]
    assert await listed(f"conditions=email={b}@x.io") == [b]
    assert await listed("conditions=role=workspace-admin") == ["admin"]


async def test_a_member_who_left_the_directory_does_not_break_the_list(
    admin: SignedClient, workspace: str, cluster: Cluster
) -> None:
    """ACCOUNT-15: v2.1.1 answered 500."""
    await known(admin, workspace)
    binding = await cluster.get(CLUSTER_ROLE_BINDINGS, f"workspace:{workspace}:viewer")
    ghost = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": unique("ghost")}
    await cluster.update(CLUSTER_ROLE_BINDINGS, {**binding, "subjects": [ghost]})
    path = members_of(workspace)
    assert [item["username"] for item in (await admin.get(path)).json["items"]] == ["admin"]

    async def removable() -> None:
        assert (await admin.delete(f"{path}/{ghost['name']}")).status == 200

    await eventually(removable)
