"""What the gateway lets pass without a look at the cluster's roles is decided behind it, for each object."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import orjson
import pytest
import pytest_asyncio
import websockets

from harness.gateway import SECRET, GatewayUnderTest
from harness.kubernetes import KubernetesServer
from harness.services import running_service
from harness.tenancy import Tenancy, tenancy
from harness.waiting import eventually
from ks_apigateway.routes import Authorization, builtin_routes
from kubekit.cluster import Cluster, ClusterConfig

pytestmark = pytest.mark.kubernetes

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"
DEVOPS = "/kapis/devops.kubesphere.io/v1alpha2"
RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"


class Asked(NamedTuple):
    """What a stranger tries; `{workspace}` and `{namespace}` are somebody else's."""

    method: str
    path: str
    body: str = ""


PROOFS: dict[str, list[Asked] | str] = {
    "/api": [
        Asked("GET", "/api/v1/namespaces/{namespace}/secrets"),
        Asked("DELETE", "/api/v1/namespaces/{namespace}"),
    ],
    "/apis": [Asked("DELETE", "/apis/apps/v1/namespaces/{namespace}/deployments")],
    "/version": "the version of the cluster, which its own roles show to everybody",
    "/openapi": "how the cluster is asked, which its own roles show to everybody",
    "/openapi/v3": "how the platform is asked",
    "/kapis/authorization.kubesphere.io/v1/explain": "test_explain",
    "/kapis/iam.kubesphere.io/v1alpha2/token": "ends the session of the token that is sent, and no other",
    "/kapis/iam.kubesphere.io/v1alpha2/rulesmapping": "tables of what built-in roles mean; they hold nothing",
    TENANT: [
        Asked("GET", f"{TENANT}/workspaces/{{workspace}}"),
        Asked("GET", f"{TENANT}/workspaces/{{workspace}}/namespaces"),
        Asked("GET", f"{TENANT}/workspaces/{{workspace}}/members/x/namespaces"),
        Asked(
            "POST",
            f"{TENANT}/workspaces/{{workspace}}/namespaces",
            '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "agw-intruder"}}',
        ),
        Asked("DELETE", f"{TENANT}/workspaces/{{workspace}}/namespaces/{{namespace}}"),
        Asked("GET", f"{TENANT}/workspaces/{{workspace}}/devops"),
        Asked("DELETE", f"{TENANT}/workspaces/{{workspace}}/devops/project-x"),
    ],
    DEVOPS: [
        Asked("GET", f"{DEVOPS}/devops/project-x"),
        Asked("GET", f"{DEVOPS}/devops/project-x/members"),
        Asked("GET", f"{DEVOPS}/devops/project-x/credentials"),
        Asked("DELETE", f"{DEVOPS}/devops/project-x/pipelines/p"),
    ],
    f"{RESOURCES}/registry": [
        Asked("GET", f"{RESOURCES}/registry/blob?image=x/y&namespace={{namespace}}&secret=s"),
    ],
    f"{RESOURCES}/git/verify": [
        Asked(
            "POST",
            f"{RESOURCES}/git/verify",
            '{"remoteUrl": "https://git.example.com/x",'
            ' "secretRef": {"name": "s", "namespace": "{namespace}"}}',
        ),
    ],
    f"{RESOURCES}/search": "test_what_a_stranger_searches_is_not_found",
    f"{RESOURCES}/watch": [Asked("GET", f"{RESOURCES}/watch")],
    f"{RESOURCES}/dryrun": "it is tried as the caller: test_a_manifest_is_tried_as_the_caller",
    "/kapis/jenkins.kubesphere.io": "Jenkins gets the user's own token, and asks ks-account about it",
    "/kapis/devops.kubesphere.io/v1alpha": "ks-devops gets an identity signed for it alone",
    "/kapis/alerting.kubesphere.io/v1/resource_type": "a catalogue of what can be measured",
    "/kapis/alerting.kubesphere.io/v1/metric": "a catalogue of what can be measured",
}
"""By the path of each exempt route: what a stranger must not get, or why there is nothing to decide."""

CASES = [asked for proof in PROOFS.values() if not isinstance(proof, str) for asked in proof]


def test_every_exempt_route_has_a_proof() -> None:
    exempt = {route.path for route in builtin_routes() if route.authorize is Authorization.IDENTITY}
    assert exempt == set(PROOFS)


@pytest_asyncio.fixture(scope="module")
async def theirs(kubernetes: KubernetesServer) -> AsyncIterator[Tenancy]:
    """A workspace with a namespace, of somebody else."""
    config = ClusterConfig(kubeconfig=str(kubernetes.kubeconfig), qps=500, burst=500)
    async with Cluster(config) as cluster, tenancy(cluster) as made:
        workspace = await made.workspace("theirs", admin=["owner"])
        await made.namespace("theirs-ns", workspace, admin=["owner"])
        yield made


@pytest_asyncio.fixture(scope="module")
async def whole(
    start_gateway: Any,
    kubernetes: KubernetesServer,
    theirs: Tenancy,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[GatewayUnderTest]:
    """A gateway before a real ks-apiserver, on a cluster that has workspaces."""
    config = {
        "kubernetes": {"kubeconfig": str(kubernetes.kubeconfig)},
        "authentication": {"jwtSecret": SECRET},
    }
    async with (
        running_service("ks-apiserver", config, tmp_path_factory.mktemp("exempt")) as apiserver,
        start_gateway(upstreams={"apiserver": apiserver.url}) as gateway,
    ):
        token = await gateway.sign_in("agw-stranger")

        async def ready() -> None:
            answer = await gateway.get(f"{TENANT}/workspaces", token=token)
            assert answer.status == 200, answer.body

        await eventually(ready, timeout=120)
        yield gateway


@pytest.mark.parametrize("asked", CASES, ids=lambda asked: f"{asked.method} {asked.path[:60]}")
async def test_a_stranger_gets_nothing_of_others(
    whole: GatewayUnderTest, theirs: Tenancy, asked: Asked
) -> None:
    path, body = asked.path, asked.body
    for placeholder, short in (("{workspace}", "theirs"), ("{namespace}", "theirs-ns")):
        name = theirs.name(short)
        path, body = path.replace(placeholder, name), body.replace(placeholder, name)
    token = await whole.sign_in("agw-stranger")
    answer = await whole.ask(
        f"{asked.method} {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n",
        body.encode(),
    )
    assert answer.status in (400, 403, 404, 405, 501, 503), answer.body


async def test_what_a_stranger_searches_is_not_found(whole: GatewayUnderTest, theirs: Tenancy) -> None:
    token = await whole.sign_in("agw-stranger")
    answer = await whole.get(f"{RESOURCES}/search?q={theirs.name('theirs')}", token=token)
    assert answer.status == 200, answer.body
    assert orjson.loads(answer.body)["items"] == []


async def test_a_manifest_is_tried_as_the_caller(whole: GatewayUnderTest, theirs: Tenancy) -> None:
    token = await whole.sign_in("agw-stranger")
    name = theirs.name("theirs-ns")
    body = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x, namespace: {name}}}\n".encode()
    answer = await whole.ask(
        f"POST {RESOURCES}/dryrun HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/yaml\r\nContent-Length: {len(body)}\r\n\r\n",
        body,
    )
    assert answer.status == 200, answer.body
    assert b"forbidden" in answer.body.lower()


@pytest.mark.parametrize("resource", ["namespaces", "workspaces", "pods"])
async def test_a_page_of_others_is_not_watched(
    whole: GatewayUnderTest, theirs: Tenancy, resource: str
) -> None:
    token = await whole.sign_in("agw-stranger")
    namespace = theirs.name("theirs-ns") if resource == "pods" else ""
    address = whole.service.url.replace("http:", "ws:") + f"{RESOURCES}/watch"
    async with websockets.connect(address, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        page = {
            "id": "p",
            "resource": resource,
            "namespace": namespace,
            "query": "paging=limit%3D10,page%3D1",
        }
        await socket.send(orjson.dumps(page).decode())
        told = orjson.loads(await asyncio.wait_for(socket.recv(), 60))
        assert told.get("error", {}).get("status") == 403 or told["order"] == [], told
