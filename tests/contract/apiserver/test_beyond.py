"""What v2.1.1 does not have: finding anything by name, trying a manifest, and explaining a pod."""

import pytest
import pytest_asyncio
import yaml

from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.resource import CONFIG_MAPS, EVENTS, PODS, RESOURCE_QUOTAS, SERVICE_ACCOUNTS, SERVICES

pytestmark = pytest.mark.kubernetes

RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"


@pytest_asyncio.fixture(scope="module")
async def ours(tenants, cluster: Cluster):
    """A namespace of erin's with config maps that are called much alike, and a service."""
    namespace = await tenants.namespace("beyond", tenants.name("demo-ws"), admin=["erin"])
    for name in ("quokka", "quokka-a", "my-quokka", "myquokka"):
        await cluster.create(CONFIG_MAPS, {"metadata": {"name": name}, "data": {"a": "1"}}, namespace)
    called = {"name": "animal", "annotations": {"kubesphere.io/alias-name": "The Quokka"}}
    await cluster.create(SERVICES, {"metadata": called, "spec": {"ports": [{"port": 80}]}}, namespace)
    return namespace


@pytest_asyncio.fixture(scope="module")
async def theirs(tenants, cluster: Cluster):
    """A namespace of mallory's with a config map that is called alike too."""
    namespace = await tenants.namespace("beyond-other", tenants.name("other-ws"), admin=["mallory"])
    await cluster.create(CONFIG_MAPS, {"metadata": {"name": "quokka-of-others"}}, namespace)
    return namespace


async def found(client, text, namespaces):
    answer = await client.get(f"{RESOURCES}/search?q={text}&limit=50")
    assert answer.status == 200, answer.text
    assert "missing" not in answer.json, answer.text
    return [item["name"] for item in answer.json["items"] if item["namespace"] in namespaces]


async def test_the_likeliest_comes_first_whatever_its_kind(tenants, as_, ours, theirs):
    async def in_order() -> None:
        names = await found(as_(tenants, "erin"), "Quokka", (ours, theirs))
        assert names == ["quokka", "quokka-a", "my-quokka", "myquokka", "animal"]

    await eventually(in_order, timeout=60)


async def test_nobody_finds_what_they_may_not_list(tenants, as_, ours, theirs):
    async def of_all() -> None:
        names = await found(as_(tenants, "admin"), "quokka", (ours, theirs))
        assert {"quokka", "quokka-of-others"} <= set(names)

    await eventually(of_all, timeout=60)
    assert await found(as_(tenants, "mallory"), "quokka", (ours, theirs)) == ["quokka-of-others"]
    answer = await as_(tenants, "erin").get(f"{RESOURCES}/search?q=quokka-of-others")
    assert answer.json == {"items": [], "total_count": 0}
    assert (await as_(tenants, "bob").get(f"{RESOURCES}/search?q=quokka")).json["total_count"] == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", f"q={'a' * 300}"])
async def test_a_search_that_is_too_large_is_refused(tenants, as_, query):
    assert (await as_(tenants, "erin").get(f"{RESOURCES}/search?{query}")).status == 400


async def tried(client, text, namespace, content_type="application/yaml"):
    return await client.request(
        "POST",
        f"{RESOURCES}/dryrun?namespace={namespace}",
        raw=text.encode(),
        headers={"Content-Type": content_type},
    )


MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: quokka}
data: {a: "2", b: "3"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: numbat}
data: {since: 2026-01-01}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: broken}
spec:
  replicas: -1
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}
---
apiVersion: nosuch.example.org/v1
kind: Nothing
metadata: {name: nothing}
"""


async def test_a_manifest_tells_what_it_would_change_and_changes_nothing(tenants, as_, cluster, ours):
    answer = await tried(as_(tenants, "erin"), MANIFEST, ours)
    assert answer.status == 200, answer.text
    changed, created, broken, unknown = answer.json["items"]
    assert changed["action"] == "update"
    fields = {"/data/a": ("1", "2"), "/data/b": (None, "3")}
    seen = {change["path"]: (change.get("before"), change["after"]) for change in changed["changes"]}
    assert {path: seen[path] for path in fields} == fields
    assert not any(path.startswith("/metadata/managedFields") for path in seen)
    assert created["action"] == "create"
    assert created["result"]["data"] == {"since": "2026-01-01"}
    assert broken["error"]["reason"] == "Invalid"
    assert "does not serve Nothing" in unknown["error"]["message"]
    assert (await cluster.get(CONFIG_MAPS, "quokka", ours))["data"] == {"a": "1"}
    names = [item["metadata"]["name"] for item in (await cluster.list(CONFIG_MAPS, ours)).items]
    assert "numbat" not in names


async def test_a_manifest_that_changes_nothing_says_so(tenants, as_, ours):
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "quokka-a", "namespace": ours}}
    answer = await tried(as_(tenants, "erin"), yaml.safe_dump(manifest), "", "application/json")
    assert (answer.json["items"][0]["action"], answer.json["items"][0]["changes"]) == ("none", [])


async def test_kubernetes_decides_who_tries_a_manifest(tenants, as_, ours):
    """BEYOND-1"""
    for person in ("mallory", "bob"):
        answer = await tried(as_(tenants, person), MANIFEST, ours)
        assert [item["error"]["reason"] for item in answer.json["items"][:3]] == ["Forbidden"] * 3
        assert "result" not in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "", "---\n---\n", "[", "a: &a [1]\nb: *a", "kind: x", "[" * 5000, "apiVersion: v1\nkind: ConfigMap",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {1: 2}",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nn: .nan",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nn: !!binary aGk=",
        "\x00",
        "!!python/object:os.x {}",
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n" * 101,
    ],
    ids=range(13),
)  # fmt: skip
async def test_what_is_no_manifest_is_a_mistake_of_the_client(tenants, as_, ours, text):
    answer = await tried(as_(tenants, "erin"), text, ours)
    assert answer.status == 400, answer.text


@pytest.mark.parametrize("name", ["..", "a/b", "a%2Fb", "A", ""])
async def test_a_name_that_no_object_has_is_told_with_its_document(tenants, as_, ours, name):
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    answer = await tried(as_(tenants, "erin"), yaml.safe_dump(manifest), ours)
    assert answer.status == 400 or answer.json["items"][0]["error"], answer.text


async def test_a_pod_that_does_not_run_is_explained_in_one_answer(tenants, as_, cluster, ours):
    await cluster.apply(
        SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": ours}}, field_manager="t"
    )
    spec = {"containers": [{"name": "c", "image": "nosuch"}], "nodeSelector": {"no": "such"}}
    pod = await cluster.create(PODS, {"metadata": {"name": "stuck"}, "spec": spec}, ours)
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    container = {"name": "c", "image": "nosuch", "imageID": "", "ready": False, "restartCount": 0}
    status = {"phase": "Pending", "containerStatuses": [{**container, "state": {"waiting": waiting}}]}
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"}
    await cluster.patch(
        PODS, "stuck", {"status": {**status, "conditions": [unscheduled]}}, ours, subresource="status"
    )
    of = {"kind": "Pod", "name": "stuck", "namespace": ours, "uid": pod["metadata"]["uid"]}
    event = {"reason": "Unhealthy", "message": "probe failed", "type": "Warning", "involvedObject": of}
    await cluster.create(EVENTS, {"metadata": {"name": "stuck.1"}, **event}, ours)
    await cluster.create(
        RESOURCE_QUOTAS, {"metadata": {"name": "tight"}, "spec": {"hard": {"pods": "1"}}}, ours
    )

    async def explained() -> None:
        answer = await as_(tenants, "erin").get(f"{RESOURCES}/namespaces/{ours}/pods/stuck/explain")
        assert answer.status == 200, answer.text
        assert answer.json["running"] is False
        kinds = {reason["type"] for reason in answer.json["reasons"]}
        assert {"scheduling", "image", "probe", "quota"} <= kinds, answer.text
        assert answer.json["events"][0]["message"]

    await eventually(explained, timeout=60)
    for person in ("mallory", "bob"):
        answer = await as_(tenants, person).get(f"{RESOURCES}/namespaces/{ours}/pods/stuck/explain")
        assert answer.status == 403
        assert "no such image" not in answer.text
    assert (await as_(tenants, "erin").get(f"{RESOURCES}/namespaces/{ours}/pods/none/explain")).status == 404
