"""Namespaces of a workspace: who sees, creates and deletes them."""

import asyncio

import pytest
import pytest_asyncio

from harness.waiting import eventually
from kubekit.errors import NotFound
from kubekit.resource import NAMESPACES, WORKSPACES

pytestmark = pytest.mark.kubernetes

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"
LABEL = "kubesphere.io/workspace"
CREATOR = "kubesphere.io/creator"


def path(made, workspace="demo-ws", namespace=None):
    base = f"{TENANT}/workspaces/{made.name(workspace)}/namespaces"
    return f"{base}/{made.name(namespace)}" if namespace else base


def wanted(made, short, **metadata):
    return {"metadata": {"name": made.remove_later(NAMESPACES, made.name(short)), **metadata}}


def names(answer):
    assert answer.status == 200, answer.text
    return {item["metadata"]["name"] for item in answer.json["items"]}


@pytest_asyncio.fixture(scope="module")
async def two(tenants, settle):
    """Namespaces one and two in demo-ws, theirs in other-ws; dave views one, alice operates two."""
    await tenants.namespace("one", tenants.name("demo-ws"), viewer=["dave"])
    await tenants.namespace("two", tenants.name("demo-ws"), operator=["alice"])
    await tenants.namespace("theirs", tenants.name("other-ws"), admin=["mallory"], viewer=["dave"])
    await settle(tenants)
    return tenants


@pytest.mark.parametrize(
    ("person", "visible"),
    [("admin", {"one", "two"}), ("dave", {"one"}), ("alice", {"two"}), ("erin", set()), ("rita", set())],
)
async def test_a_person_sees_the_namespaces_of_a_workspace_that_they_reach(two, as_, person, visible):
    listed = names(await as_(two, person).get(path(two)))
    assert listed & {two.name("one"), two.name("two"), two.name("theirs")} == set(map(two.name, visible))


async def test_a_person_sees_their_own_namespaces_of_all_workspaces(two, as_):
    assert names(await as_(two, "dave").get(f"{TENANT}/namespaces")) == {two.name("one"), two.name("theirs")}
    assert names(await as_(two, "bob").get(f"{TENANT}/namespaces")) == set()
    everything = names(await as_(two, "admin").get(f"{TENANT}/namespaces?paging=limit=-1,page=1"))
    assert {two.name("one"), two.name("two"), two.name("theirs"), "kube-system"} <= everything


async def test_a_list_of_ones_own_that_did_not_change_is_not_sent_again(two, as_, cluster):
    listing = f"{TENANT}/namespaces?paging=limit=-1,page=1&conditions=name~theirs"
    first = await as_(two, "dave").get(listing)
    assert names(first) == {two.name("theirs")}
    known = {"If-None-Match": first.headers["ETag"]}
    again = await as_(two, "dave").request("GET", listing, headers=known)
    assert (again.status, again.text) == (304, "")
    assert (await as_(two, "alice").request("GET", listing, headers=known)).status == 200

    body = {"metadata": {"annotations": {"example.org/note": "changed"}}}
    await cluster.patch(NAMESPACES, two.name("theirs"), body)

    async def changed():
        answer = await as_(two, "dave").request("GET", listing, headers=known)
        assert answer.status == 200

    await eventually(changed, timeout=60)


async def test_who_may_list_namespaces_in_kubernetes_sees_them_all(two, as_, settle):
    """TENANT-2"""
    await two.bind_everywhere("victor", "view")
    await settle(two)
    assert names(await as_(two, "victor").get(path(two))) >= {two.name("one"), two.name("two")}


async def test_a_stranger_learns_nothing_of_another_workspace(two, as_):
    """TENANT-1"""
    for person in ("bob", "mallory"):
        for target in (path(two), f"{path(two)}?conditions=name~one", path(two).replace("demo-ws", "nosuch")):
            answer = await as_(two, person).get(target)
            assert answer.status == 403
            assert two.suffix not in answer.text.replace(two.name(person), "")


@pytest.mark.parametrize(
    ("person", "status"), [("alice", 200), ("erin", 200), ("dave", 200), ("rita", 403), ("bob", 403)]
)
async def test_members_look_at_what_another_member_reaches(two, as_, person, status):
    """TENANT-1"""
    of_alice = f"{TENANT}/workspaces/{two.name('demo-ws')}/members/{two.name('alice')}/namespaces"
    answer = await as_(two, person).get(of_alice)
    assert answer.status == status, answer.text
    if status == 200:
        assert names(answer) == {two.name("two")}


@pytest.mark.parametrize("person", ["admin", "carol", "erin", "rita"])
async def test_members_who_may_create_a_namespace(tenants, as_, person):
    answer = await as_(tenants, person).post(path(tenants), wanted(tenants, f"by-{person}"))
    assert answer.status == 200, answer.text
    made = await tenants.cluster.get(NAMESPACES, tenants.name(f"by-{person}"))
    assert made["metadata"]["labels"][LABEL] == tenants.name("demo-ws")
    assert made["metadata"]["annotations"] == {CREATOR: tenants.name(person)}
    assert "managedFields" not in answer.json["metadata"]


@pytest.mark.parametrize("person", ["bob", "dave", "mallory", "alice"])
async def test_others_who_may_not_create_one(tenants, as_, person):
    """TENANT-1"""
    answer = await as_(tenants, person).post(path(tenants), wanted(tenants, "intruder"))
    assert answer.status == 403
    with pytest.raises(NotFound):
        await tenants.cluster.get(NAMESPACES, tenants.name("intruder"))


async def test_a_creator_cannot_choose_whose_the_namespace_is(tenants, as_):
    """TENANT-5"""
    metadata = {
        "labels": {LABEL: tenants.name("other-ws"), "team": "blue"},
        "annotations": {CREATOR: "somebody-else", "kubesphere.io/alias-name": "Mine"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"}],
        "finalizers": ["example.com/never"],
    }
    answer = await as_(tenants, "rita").post(path(tenants), wanted(tenants, "mine", **metadata))
    assert answer.status == 200, answer.text
    made = (await tenants.cluster.get(NAMESPACES, tenants.name("mine")))["metadata"]
    assert (made["labels"][LABEL], made["labels"]["team"]) == (tenants.name("demo-ws"), "blue")
    assert made["annotations"] == {CREATOR: tenants.name("rita"), "kubesphere.io/alias-name": "Mine"}
    assert all(owner["name"] != "x" for owner in made.get("ownerReferences", []))
    assert "example.com/never" not in made.get("finalizers", [])


@pytest.mark.parametrize(
    ("short", "metadata"),
    [
        ("pods", {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}),
        ("nodes", {"annotations": {"scheduler.alpha.kubernetes.io/node-selector": "dedicated=yes"}}),
        ("other", {"labels": {"policy.k8s.io/x": "y"}}),
    ],
)
async def test_labels_of_kubernetes_are_set_by_administrators_only(tenants, as_, short, metadata):
    """TENANT-6"""
    body = wanted(tenants, short, **metadata)
    refused = await as_(tenants, "erin").post(path(tenants), body)
    assert refused.status == 403, refused.text
    assert (await as_(tenants, "admin").post(path(tenants), body)).status == 200


async def test_a_namespace_of_an_unknown_workspace_is_not_created(tenants, as_):
    """TENANT-3"""
    for person, status in (("admin", 404), ("carol", 404), ("bob", 403)):
        answer = await as_(tenants, person).post(path(tenants, "nosuch"), wanted(tenants, "orphan"))
        assert answer.status == status


async def test_a_workspace_that_is_being_deleted_takes_no_namespace(fresh, as_):
    name = fresh.name("other-ws")
    finalizers = {"metadata": {"finalizers": ["example.com/held"]}}
    await fresh.cluster.patch(WORKSPACES, name, finalizers)
    await fresh.cluster.delete(WORKSPACES, name)
    try:

        async def refused():
            answer = await as_(fresh, "admin").post(path(fresh, "other-ws"), wanted(fresh, "late"))
            assert answer.status == 409, answer.text
            assert "is being deleted" in answer.message

        await eventually(refused)
    finally:
        await fresh.cluster.patch(WORKSPACES, name, {"metadata": {"finalizers": None}})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"metadata": {"name": "Bad_Name"}}, 422),
        ({"metadata": {}}, 422),
        ({"metadata": {"name": "x" * 64}}, 422),
        ({"metadata": {"name": "ok", "labels": {"not valid!": "x"}}}, 422),
        ({"metadata": {"name": 5}}, 400),
        ({"metadata": {"name": "ok", "labels": {"a": 1}}}, 400),
        ({}, 400),
        ([], 400),
    ],
)
async def test_a_body_that_is_no_namespace_is_refused(tenants, as_, body, status):
    answer = await as_(tenants, "erin").post(path(tenants), body)
    assert answer.status == status, answer.text
    assert answer.message


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "istio-system"},
        {"name": "kubesphere-devops-system"},
        {"name": "kube-mine"},
        {"generateName": "kube-"},
    ],
)
async def test_nobody_takes_the_name_of_a_component_that_may_be_installed_later(tenants, as_, metadata):
    """TENANT-8"""
    answer = await as_(tenants, "erin").post(path(tenants), {"metadata": metadata})
    assert answer.status == 403, answer.text


async def test_a_name_is_taken_once(tenants, as_):
    erin = as_(tenants, "erin")
    body = wanted(tenants, "once", annotations=None, labels=None)
    first, second = await asyncio.gather(erin.post(path(tenants), body), erin.post(path(tenants), body))
    assert sorted((first.status, second.status)) == [200, 409]


@pytest.mark.parametrize("person", ["admin", "carol", "erin", "norah"])
async def test_who_may_delete_a_namespace(tenants, as_, settle, person):
    short = f"of-{person}"
    name = await tenants.namespace(short, tenants.name("demo-ws"), admin=["norah"])
    await settle(tenants)
    answer = await as_(tenants, person).delete(path(tenants, namespace=short))
    assert answer.status == 200, answer.text
    assert answer.json == {"message": "success"}
    try:
        found = await tenants.cluster.get(NAMESPACES, name)
    except NotFound:
        return
    assert found["metadata"].get("deletionTimestamp")


@pytest.mark.parametrize("person", ["bob", "mallory", "dave", "alice", "rita"])
async def test_who_may_not_delete_a_namespace(two, as_, person):
    """TENANT-1"""
    answer = await as_(two, person).delete(path(two, namespace="one"))
    assert answer.status == 403
    assert "deletionTimestamp" not in (await two.cluster.get(NAMESPACES, two.name("one")))["metadata"]


async def test_who_manages_workspaces_does_not_manage_what_the_cluster_runs_in(tenants, as_, settle):
    """TENANT-7"""
    name = await tenants.namespace("platform", "system-workspace")
    await settle(tenants)
    target = f"{TENANT}/workspaces/system-workspace/namespaces"
    carol, admin = as_(tenants, "carol"), as_(tenants, "admin")
    assert (await carol.delete(f"{target}/{name}")).status == 403
    assert "deletionTimestamp" not in (await tenants.cluster.get(NAMESPACES, name))["metadata"]
    assert (await carol.post(target, wanted(tenants, "no-platform"))).status == 403
    assert (await admin.delete(f"{target}/{name}")).status == 200


@pytest.mark.parametrize(
    ("person", "workspace", "namespace"),
    [("erin", "demo-ws", "theirs"), ("mallory", "other-ws", "one"), ("admin", "demo-ws", "theirs")],
)
async def test_a_namespace_is_deleted_through_its_own_workspace_only(two, as_, person, workspace, namespace):
    answer = await as_(two, person).delete(path(two, workspace, namespace))
    assert (answer.status, answer.message) == (400, "resource not found")
    assert "deletionTimestamp" not in (await two.cluster.get(NAMESPACES, two.name(namespace)))["metadata"]
    unknown = await as_(two, person).delete(path(two, workspace, "nosuch"))
    assert (unknown.status, unknown.message) == (400, f'namespaces "{two.name("nosuch")}" not found')
    assert (await as_(two, person).delete(f"{path(two, workspace)}/a%2Fb")).status == 400
