"""Lists that are asked for again, and lists of whatever else the cluster serves."""

from typing import Any

import pytest
import pytest_asyncio

from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import AlreadyExists
from kubekit.resource import CONFIG_MAPS, CRDS, NETWORK_POLICIES, ROLE_BINDINGS, Resource

pytestmark = pytest.mark.kubernetes

RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
WIDGETS = Resource("tests.kubesphere.io", "v1", "widgets", "Widget", True)


@pytest_asyncio.fixture(scope="module")
async def widgets(tenants, cluster: Cluster):
    """A namespace with two Widgets of a CRD; erin is its admin, otto may list what the platform serves."""
    await _serve_widgets(cluster)
    namespace = await tenants.namespace("widgets", tenants.name("demo-ws"), admin=["erin"])
    served = [{"apiGroups": ["resources.kubesphere.io"], "resources": ["*"], "verbs": ["list"]}]
    await tenants.bind_in(
        namespace, "otto", ["otto"], "ClusterRole", await tenants.cluster_role("lists", served)
    )
    for name, colour in (("one", "red"), ("two", "blue")):
        body = {"apiVersion": WIDGETS.api_version, "kind": WIDGETS.kind,
                "metadata": {"name": name, "namespace": namespace, "labels": {"colour": colour}}}  # fmt: skip

        async def made(body: dict[str, Any] = body) -> None:
            try:
                await cluster.create(WIDGETS, body)
            except AlreadyExists:
                pass
            except Exception as error:  # until the API server serves what it was just told of
                raise AssertionError("not served yet") from error

        await eventually(made, timeout=60)
    policy = {"metadata": {"name": "closed"}, "spec": {"podSelector": {}}}
    await cluster.create(NETWORK_POLICIES, policy, namespace)
    return namespace


async def _serve_widgets(cluster: Cluster) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    spec = {"group": WIDGETS.group, "scope": "Namespaced", "names": names, "versions": [version]}
    try:
        await cluster.create(CRDS, {"metadata": {"name": "widgets.tests.kubesphere.io"}, "spec": spec})
    except AlreadyExists:
        pass


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("widgets", ["one", "two"]),
        ("widgets.tests.kubesphere.io?orderBy=name&reverse=true", ["two", "one"]),
        ("widgets?conditions=colour%3Dblue", ["two"]),
        ("widgets?conditions=name~on", ["one"]),
        ("networkpolicies", ["closed"]),
        ("networkpolicies.networking.k8s.io?conditions=name%3Dclosed", ["closed"]),
    ],
)
async def test_any_kind_that_the_cluster_serves_is_searched(tenants, as_, widgets, search, expected):
    async def found() -> None:
        answer = await as_(tenants, "erin").get(f"{RESOURCES}/namespaces/{widgets}/{search}")
        assert answer.status == 200, answer.text
        assert [item["metadata"]["name"] for item in answer.json["items"]] == expected

    await eventually(found, timeout=60)


async def test_kubernetes_decides_who_lists_a_kind_that_is_not_the_platforms(tenants, as_, widgets):
    """RESOURCES-8"""
    for path in (f"/namespaces/{widgets}/widgets", f"/namespaces/{widgets}/networkpolicies"):
        answer = await as_(tenants, "otto").get(RESOURCES + path)
        assert answer.status == 403, answer.text
        assert "items" not in answer.text
        assert (await as_(tenants, "bob").get(RESOURCES + path)).status == 403


@pytest.mark.parametrize(
    "name", ["nosuchthings", "widgets.apps", "Widgets", "widgets%2Fstatus", "..", "a" * 300]
)
async def test_what_the_cluster_does_not_serve_is_not_found(tenants, as_, widgets, name):
    answer = await as_(tenants, "erin").get(f"{RESOURCES}/namespaces/{widgets}/{name}")
    assert answer.status in (400, 404), answer.text


async def test_a_list_that_did_not_change_is_not_sent_again(tenants, as_, cluster, widgets):
    path = f"{RESOURCES}/namespaces/{widgets}/configmaps?conditions=name~kept"
    erin = as_(tenants, "erin")
    await cluster.create(CONFIG_MAPS, {"metadata": {"name": "kept-1"}}, widgets)

    async def listed() -> str:
        answer = await erin.get(path)
        assert [item["metadata"]["name"] for item in answer.json["items"]] == ["kept-1"]
        assert answer.headers["Cache-Control"] == "private, no-cache"
        return answer.headers["ETag"]

    tag = await eventually(listed, timeout=60)
    again = await erin.request("GET", path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status, again.text) == (304, "")
    assert again.headers["ETag"] == tag
    assert (await as_(tenants, "bob").request("GET", path, headers={"If-None-Match": tag})).status == 403
    other = await erin.request("GET", f"{path},name~none", headers={"If-None-Match": tag})
    assert other.status == 200

    await cluster.create(CONFIG_MAPS, {"metadata": {"name": "kept-2"}}, widgets)

    async def changed() -> None:
        answer = await erin.request("GET", path, headers={"If-None-Match": tag})
        assert answer.status == 200
        assert len(answer.json["items"]) == 2

    await eventually(changed, timeout=60)


async def test_a_remembered_list_is_refused_once_the_right_to_it_is_gone(tenants, as_, cluster, widgets):
    binding = tenants.name("rory")
    await tenants.bind_in(widgets, binding, ["rory"], "ClusterRole", "cluster-admin")
    path = f"{RESOURCES}/namespaces/{widgets}/configmaps"
    rory = as_(tenants, "rory")

    async def listed() -> None:
        assert (await rory.get(path)).status == 200

    await eventually(listed, timeout=60)
    for _ in range(5):
        await listed()
    await cluster.delete(ROLE_BINDINGS, binding, widgets)

    async def refused() -> None:
        assert (await rory.get(path)).status == 403

    await eventually(refused, timeout=60)
    for _ in range(5):
        await refused()
