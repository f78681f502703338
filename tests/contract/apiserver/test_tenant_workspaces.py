"""Which workspaces a person sees, and what they are told of them."""

import pytest

from harness.signed import SignedClient
from kubekit.resource import WORKSPACES

pytestmark = pytest.mark.kubernetes

WORKSPACES_PATH = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"


def names(answer):
    assert answer.status == 200, answer.text
    return {item["metadata"]["name"] for item in answer.json["items"]}


def annotations(workspace):
    return {
        key.removeprefix("kubesphere.io/"): value
        for key, value in workspace["metadata"]["annotations"].items()
    }


@pytest.mark.parametrize("person", ["erin", "rita", "dave"])
async def test_a_member_sees_the_workspaces_they_belong_to(tenants, as_, person):
    answer = await as_(tenants, person).get(WORKSPACES_PATH)
    assert names(answer) == {tenants.name("demo-ws")}
    assert answer.json["total_count"] == 1


@pytest.mark.parametrize("person", ["admin", "carol"])
async def test_who_manages_all_workspaces_sees_them_all(tenants, as_, person):
    answer = await as_(tenants, person).get(f"{WORKSPACES_PATH}?paging=limit=-1,page=1")
    assert {tenants.name("demo-ws"), tenants.name("other-ws")} <= names(answer)


async def test_somebody_without_roles_sees_none(tenants, as_):
    answer = await as_(tenants, "bob").get(WORKSPACES_PATH)
    assert answer.json == {"items": [], "total_count": 0}


async def test_a_role_of_a_group_counts(tenants, as_, settle):
    """TENANT-2"""
    await tenants.namespace("grouped", tenants.name("demo-ws"))
    await tenants.bind_group_in(tenants.name("grouped"), "team", "view")
    await settle(tenants)
    bob = as_(tenants, "bob")
    path = "/kapis/tenant.kubesphere.io/v1alpha2/namespaces"
    assert names(await bob.get(path)) == set()
    assert names(await bob.acting_as(tenants.name("bob"), tenants.name("team")).get(path)) == {
        tenants.name("grouped")
    }


async def test_a_workspace_says_how_many_members_and_visible_namespaces_it_has(fresh, as_, settle):
    demo = fresh.name("demo-ws")
    await fresh.namespace("one", demo, viewer=["dave"])
    await fresh.namespace("two", demo)
    await settle(fresh)
    for person, visible in (("admin", "2"), ("dave", "1"), ("erin", "0")):
        answer = await as_(fresh, person).get(f"{WORKSPACES_PATH}/{demo}")
        told = annotations(answer.json)
        assert (told["member-count"], told["namespace-count"]) == ("4", visible), person
        listed = await as_(fresh, person).get(f"{WORKSPACES_PATH}?conditions=name%3D{demo}")
        assert annotations(listed.json["items"][0]) == told


async def test_pages_order_and_conditions(tenants, as_, settle):
    for short in ("zoo", "yak"):
        await tenants.workspace(f"{short}-ws", short.upper(), admin=["zoe"])
    await settle(tenants)
    zoe = as_(tenants, "zoe")

    async def listed(query):
        answer = await zoe.get(f"{WORKSPACES_PATH}?{query}")
        assert answer.json["total_count"] >= len(answer.json["items"])
        return [item["metadata"]["name"].removesuffix(f"-{tenants.suffix}") for item in answer.json["items"]]

    assert await listed("orderBy=name") == ["yak-ws", "zoo-ws"]
    assert await listed("orderBy=name&reverse=true") == ["zoo-ws", "yak-ws"]
    assert await listed("orderBy=name&paging=limit%3D1%2Cpage%3D2") == ["zoo-ws"]
    assert await listed("conditions=name~ZOO") == ["zoo-ws"]
    assert await listed("conditions=name~zo") == ["zoo-ws"]
    assert await listed("conditions=keyword%3DYAK") == ["yak-ws"]
    assert await listed("conditions=color%3Dred") == []
    assert (await zoe.get(f"{WORKSPACES_PATH}?conditions=nonsense")).status == 400


async def test_a_stranger_cannot_tell_whether_a_workspace_exists(tenants, as_):
    """TENANT-1"""
    bob = as_(tenants, "bob")
    there = await bob.get(f"{WORKSPACES_PATH}/{tenants.name('demo-ws')}")
    not_there = await bob.get(f"{WORKSPACES_PATH}/{tenants.name('nosuch')}")
    assert there.status == not_there.status == 403
    assert there.message == not_there.message
    assert "demo-ws" not in there.text


async def test_who_manages_workspaces_is_told_that_one_does_not_exist(tenants, as_):
    answer = await as_(tenants, "carol").get(f"{WORKSPACES_PATH}/nosuch")
    assert answer.status == 404
    assert answer.message == 'workspace.tenant.kubesphere.io "nosuch" not found'


async def test_a_workspace_made_a_moment_ago_can_be_read(tenants, as_):
    name = tenants.remove_later(WORKSPACES, tenants.name("new-ws"))
    kind = {"apiVersion": WORKSPACES.api_version, "kind": WORKSPACES.kind}
    await tenants.cluster.create(WORKSPACES, {**kind, "metadata": {"name": name}})
    assert (await as_(tenants, "admin").get(f"{WORKSPACES_PATH}/{name}")).status == 200


async def test_nobody_is_served_without_the_gateways_signature(apiserver, tenants, as_):
    forger = SignedClient(apiserver.url, "not-the-secret-of-the-gateway").acting_as(tenants.name("admin"))
    assert (await forger.get(WORKSPACES_PATH)).status == 401
    await forger.close()
    anonymous = as_(tenants, "admin").at("192.0.2.1")
    assert (await anonymous.get(WORKSPACES_PATH)).status == 401
