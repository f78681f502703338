"""Ingress gateways of namespaces, on a real API server; their image runs nowhere."""

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from harness.waiting import eventually
from ks_apiserver.resources.access import Access
from ks_apiserver.routers.manifests import Wanted
from ks_apiserver.routers.routers import Routers
from kubekit.cluster import Cluster, ClusterConfig, Impersonation
from kubekit.rbac import RbacIndex
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from servicekit.identity import Identity

pytestmark = pytest.mark.kubernetes

RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
CONTROLS = "kubesphere-controls-system"
DATA = Path(__file__).with_name("data")
RECORDED = [json.loads(line) for line in (DATA / "recorded-routers.jsonl").read_text().splitlines()]
MANIFESTS = Path(__file__).parents[3] / "installer/components/access/manifests"
KINDS = (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS, SERVICE_ACCOUNTS)
BY_KIND = {resource.kind: resource for resource in KINDS}
VOLATILE = {"uid", "resourceVersion", "creationTimestamp", "clusterIP", "nodePort"}
MESH = "servicemesh.kubesphere.io/enabled"


@pytest.fixture(scope="module", autouse=True)
async def platform(cluster, tenants):
    """The namespace that routers run in, the role that they have, and the node of the recordings."""
    await cluster.apply(NAMESPACES, {"metadata": {"name": CONTROLS}}, field_manager="tests")
    for body in yaml.safe_load_all((MANIFESTS / "kubesphere-router.yaml").read_text()):
        if body["kind"] == "ClusterRole":
            await cluster.apply(CLUSTER_ROLES, body, field_manager="tests")
    name = tenants.remove_later(NODES, f"zz-{tenants.name('master')}")
    labels = {"node-role.kubernetes.io/master": ""}
    await cluster.create(NODES, {"metadata": {"name": name, "labels": labels}})
    addresses = [{"type": "InternalIP", "address": "10.0.0.1"}]
    await cluster.patch(NODES, name, {"status": {"addresses": addresses}}, subresource="status")


@pytest.fixture
async def namespace(tenants, request):
    """erin is admin, otto its operator, dave a viewer."""
    people = {"admin": ["erin"], "operator": ["otto"], "viewer": ["dave"]}
    return await tenants.namespace(f"r{len(tenants.made)}", tenants.name("demo-ws"), **people)


@pytest.fixture
def ask(tenants, namespace, as_):
    """Asks for the router of the namespace."""

    async def asked(method, body=None, person="erin"):
        path = f"{RESOURCES}/namespaces/{namespace}/router"
        return await as_(tenants, person).request(method, path, body=body)

    return asked


def plain(value):
    """What does not change from one cluster to the next."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key not in VOLATILE}
    return [plain(each) for each in value] if isinstance(value, list) else value


def assert_within(theirs, ours):
    """Every value that v2.1.1 answered is there; what newer clusters add may be, too."""
    if isinstance(theirs, dict):
        for key, value in theirs.items():
            assert_within(value, ours[key])
    elif isinstance(theirs, list):
        assert len(theirs) == len(ours)
        for each, mine in zip(theirs, ours, strict=True):
            assert_within(each, mine)
    else:
        assert theirs == ours


async def test_the_recorded_answers_are_given(ask, namespace):
    """ROUTERS-1"""
    for record in RECORDED:
        answer = await ask(
            record["method"], record["request_body"], "erin" if record["user"] == "admin" else "bob"
        )
        status = record["response"]["status"]
        assert answer.status == {500: 409}.get(status, status), answer.text
        theirs = json.loads(json.dumps(record["response"]["body"]).replace("demo-ns1", namespace))
        if answer.status == 200:
            assert_within(plain(theirs), plain(answer.json))
        elif answer.status in (404, 409):
            assert answer.message == theirs["message"]


async def test_a_router_has_what_it_needs_and_no_more(cluster, ask, namespace):
    """ROUTERS-2"""
    assert (await ask("POST", {"type": "LoadBalancer", "annotations": {MESH: "true"}})).status == 200
    name = f"kubesphere-router-{namespace}"
    deployment = await cluster.get(DEPLOYMENTS, name, CONTROLS)
    template = deployment["spec"]["template"]
    assert template["metadata"]["annotations"]["sidecar.istio.io/inject"] == "true"
    assert template["metadata"]["labels"]["project"] == namespace
    (container,) = template["spec"]["containers"]
    assert f"--watch-namespace={namespace}" in container["args"]
    assert f"--publish-service={CONTROLS}/{name}" in container["args"]
    router = Impersonation(f"system:serviceaccount:{CONTROLS}:{name}", ("system:serviceaccounts",))
    assert (await cluster.list(SERVICES, namespace, as_user=router)).items == []
    for where, verb, resource, allowed in [
        (namespace, "list", "secrets", True),
        (namespace, "create", "pods", False),
        (CONTROLS, "list", "secrets", False),
        (CONTROLS, "list", "services", False),
        ("default", "list", "secrets", False),
        ("", "list", "secrets", False),
    ]:
        spec = {"resourceAttributes": {"namespace": where, "verb": verb, "resource": resource}}
        review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = json.loads(await cluster.request("POST", review, body={"spec": spec}, as_user=router))
        assert answer["status"]["allowed"] is allowed, (where, verb, resource)


async def test_a_router_can_be_changed_and_removed(cluster, ask, namespace):
    await ask("POST", {"type": "LoadBalancer", "annotations": {MESH: "true"}})
    changed = await ask("PUT", {"type": "NodePort", "annotations": {"a": "b"}})
    assert changed.json["spec"]["type"] == "NodePort"
    assert changed.json["metadata"]["annotations"] == {"a": "b"}
    name = f"kubesphere-router-{namespace}"
    template = (await cluster.get(DEPLOYMENTS, name, CONTROLS))["spec"]["template"]
    assert template["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
    arguments = template["spec"]["containers"][0]["args"]
    assert "--report-node-internal-ip-address" in arguments
    assert not [each for each in arguments if each.startswith("--publish-service")]
    removed = await ask("DELETE")
    assert (removed.status, removed.json["metadata"]["name"]) == (200, name)
    assert (await ask("GET")).status == 404
    assert (await ask("DELETE")).status == 404
    assert (await ask("PUT", {"type": "NodePort"})).status == 404

    async def nothing_is_left():
        for resource in (DEPLOYMENTS, SERVICES, SERVICE_ACCOUNTS):
            left = await cluster.list(resource, CONTROLS)
            assert name not in [each["metadata"]["name"] for each in left.items]
        left = await cluster.list(ROLE_BINDINGS, namespace)
        assert "kubesphere-router" not in [each["metadata"]["name"] for each in left.items]

    await eventually(nothing_is_left, timeout=60)


@pytest.mark.parametrize(
    ("person", "get", "post"),
    [("otto", 200, 403), ("dave", 200, 403), ("mallory", 403, 403), ("bob", 403, 403)],
)
async def test_only_whose_role_says_so_changes_a_router(ask, namespace, person, get, post):
    assert (await ask("POST", {"type": "NodePort"})).status == 200
    assert (await ask("GET", person=person)).status == get
    for method in ("POST", "PUT", "DELETE"):
        answer = await ask(method, {"type": "LoadBalancer"}, person)
        assert answer.status == 403, answer.text
        assert namespace not in answer.text


@pytest.mark.parametrize(
    "body", [{"annotations": {"a": 1}}, {"annotations": {"no value": "b"}}, [], {"type": 1}]
)
async def test_a_router_that_makes_no_sense_is_the_clients_mistake(cluster, ask, namespace, body):
    answer = await ask("POST", body)
    assert answer.status in (400, 422), answer.text
    names = [each["metadata"]["name"] for each in (await cluster.list(SERVICES, CONTROLS)).items]
    assert f"kubesphere-router-{namespace}" not in names


async def test_all_routers_are_listed_for_who_may_see_all(tenants, as_, ask, namespace):
    """ROUTERS-1"""
    await ask("POST", {"type": "NodePort"})
    listed = await as_(tenants, "admin").get(f"{RESOURCES}/routers")
    assert f"kubesphere-router-{namespace}" in [each["metadata"]["name"] for each in listed.json]
    assert (await as_(tenants, "erin").get(f"{RESOURCES}/routers")).status == 403


async def test_there_is_no_router_for_a_namespace_that_is_not_there(tenants, as_):
    path = f"{RESOURCES}/namespaces/nosuch/router"
    assert (await as_(tenants, "admin").post(path, {"type": "NodePort"})).status == 404


async def test_the_services_own_account_has_the_rights_that_routers_take(
    kubernetes, cluster, tenants, namespace
):
    bodies = list(yaml.safe_load_all((MANIFESTS / "ks-apiserver.yaml").read_text()))
    await cluster.apply(NAMESPACES, {"metadata": {"name": "kubesphere-system"}}, field_manager="tests")
    for body in bodies:
        await cluster.apply(BY_KIND[body["kind"]], body, field_manager="tests")
    try:
        account = "system:serviceaccount:kubesphere-system:ks-apiserver"
        kubeconfig = await kubernetes.user_kubeconfig(account, ["system:serviceaccounts"])
        async with Cluster(ClusterConfig(kubeconfig=str(kubeconfig))) as own:
            rbac = RbacIndex(own)
            await rbac.open()
            async with asyncio.timeout(60):
                await rbac.synced()
            routers, erin = Routers(own, Access(rbac), "image"), Identity(tenants.name("erin"))
            await routers.create(erin, Wanted(namespace, "NodePort", {}))
            await routers.update(erin, Wanted(namespace, "LoadBalancer", {"a": "b"}))
            listed = await routers.all(Identity(tenants.name("admin")))
            assert f"kubesphere-router-{namespace}" in [each["metadata"]["name"] for each in listed]
            await routers.delete(erin, namespace)
            await rbac.close()
    finally:
        for body in bodies:
            metadata = body["metadata"]
            await cluster.delete(BY_KIND[body["kind"]], metadata["name"], metadata.get("namespace"))
