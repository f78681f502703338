"""Why somebody may do something, or which rule they lack."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from harness.gateway import Answer, GatewayUnderTest
from harness.kubernetes import KubernetesServer
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.errors import NotFound
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES, Resource

pytestmark = pytest.mark.kubernetes

EXPLAIN = "/kapis/authorization.kubesphere.io/v1/explain"
RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
RBAC = "rbac.authorization.k8s.io"
RULE = {"verbs": ["list"], "apiGroups": ["resources.kubesphere.io"], "resources": ["deployments"]}
REVIEW = {
    "verbs": ["create"],
    "apiGroups": ["authorization.k8s.io"],
    "resources": ["localsubjectaccessreviews"],
}


def _role(kind: str, name: str, namespace: str | None, rule: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": [rule]}


def _binding(name: str, namespace: str | None, role: str, kind: str, subject: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "roleRef": {"apiGroup": RBAC, "kind": "Role" if namespace else "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": kind, "name": subject}],
    }


OBJECTS: list[tuple[Resource, dict[str, Any]]] = [
    (ROLES, _role("Role", "agw-explain", "default", RULE)),
    (ROLE_BINDINGS, _binding("agw-explain", "default", "agw-explain", "User", "agw-explain-bob")),
    (ROLES, _role("Role", "agw-review", "default", REVIEW)),
    (ROLE_BINDINGS, _binding("agw-review", "default", "agw-review", "User", "agw-explain-eve")),
    (CLUSTER_ROLES, _role("ClusterRole", "agw-explain", None, RULE)),
    (CLUSTER_ROLE_BINDINGS, _binding("agw-explain", None, "agw-explain", "Group", "agw-explainers")),
]


async def ask(gateway: GatewayUnderTest, token: str, question: Any) -> Answer:
    body = question if isinstance(question, bytes) else json.dumps(question).encode()
    return await gateway.ask(
        f"POST {EXPLAIN} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n",
        body,
    )


@pytest_asyncio.fixture(scope="module", autouse=True)
async def roles(gateway: GatewayUnderTest, kubernetes: KubernetesServer) -> AsyncIterator[None]:
    """agw-explain-bob lists deployments of default, the group agw-explainers everywhere; agw-explain-eve may
    ask about others in default.
    """
    async with Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig))) as cluster:
        for resource, wanted in OBJECTS:
            await cluster.apply(resource, wanted, field_manager="tests")
        eve = await gateway.sign_in("agw-explain-eve")
        bob = await gateway.sign_in("agw-explain-bob")

        async def known() -> None:
            nodes = {"path": f"{RESOURCES}/namespaces/default/deployments", "user": "agw-explain-bob"}
            assert (await ask(gateway, eve, nodes)).json["allowed"] is True
            grouped = {"groups": ["agw-explainers"], "path": f"{RESOURCES}/namespaces/default/deployments"}
            assert (await ask(gateway, eve, {**grouped, "user": "x"})).json["allowed"] is True

        await eventually(known, timeout=30)
        assert bob
        yield
        for resource, wanted in OBJECTS:
            try:
                metadata = wanted["metadata"]
                await cluster.delete(resource, metadata["name"], metadata.get("namespace"))
            except NotFound:
                pass


async def test_what_is_allowed_names_binding_role_subject_and_rule(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-explain-bob")
    answer = await ask(gateway, token, {"path": f"{RESOURCES}/namespaces/default/deployments?limit=5"})
    assert answer.status == 200
    assert answer.json == {
        "user": "agw-explain-bob", "groups": ["system:authenticated"], "decidedBy": "ks-apigateway",
        "request": {
            "verb": "list", "group": "resources.kubesphere.io", "version": "v1alpha2",
            "resource": "deployments", "namespace": "default",
        },
        "allowed": True,
        "because": 'RoleBinding default/agw-explain gives Role default/agw-explain to user "agw-explain-bob"',
        "grant": {
            "binding": {"kind": "RoleBinding", "namespace": "default", "name": "agw-explain"},
            "role": {"kind": "Role", "namespace": "default", "name": "agw-explain"},
            "subject": {"kind": "User", "name": "agw-explain-bob"},
            "rule": RULE,
        },
        "missing": None,
    }  # fmt: skip


async def test_what_is_not_allowed_names_the_rule_that_is_missing(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-explain-bob")
    path = f"{RESOURCES}/namespaces/default/deployments/web"
    told = (await ask(gateway, token, {"method": "DELETE", "path": path})).json
    assert told["allowed"] is False
    assert told["grant"] is None
    assert told["missing"] == {
        "verbs": ["delete"], "apiGroups": ["resources.kubesphere.io"], "resources": ["deployments"],
        "resourceNames": ["web"], "namespace": "default",
    }  # fmt: skip
    assert (await gateway.get(path, token=token, method="DELETE")).json["message"].endswith(told["because"])


async def test_an_explanation_takes_attributes_as_a_subject_access_review_does(
    gateway: GatewayUnderTest,
) -> None:
    token = await gateway.sign_in("agw-explain-x", groups=["agw-explainers"])
    attributes = {"verb": "list", "group": "resources.kubesphere.io", "resource": "deployments"}
    told = (await ask(gateway, token, {"resourceAttributes": attributes})).json
    assert told["allowed"] is True
    assert told["grant"]["subject"] == {"kind": "Group", "name": "agw-explainers"}
    other = (await ask(gateway, token, {"nonResourceAttributes": {"verb": "get", "path": "/nowhere"}})).json
    assert (other["allowed"], other["missing"]) == (
        False,
        {"verbs": ["get"], "nonResourceURLs": ["/nowhere"]},
    )


@pytest.mark.parametrize(
    ("method", "path", "decider", "allowed"),
    [
        ("GET", "/api/v1/nodes", "kubernetes", False),
        ("GET", "/kapis/tenant.kubesphere.io/v1alpha2/workspaces", "apiserver", None),
        ("GET", "/kapis/v1alpha1/configz", "ks-apigateway", True),
        ("GET", "/kapis/iam.kubesphere.io/v1alpha2/users/agw-explain-x", "ks-apigateway", True),
        ("GET", "/kapis/iam.kubesphere.io/v1alpha2/users/agw-explain-y", "ks-apigateway", False),
    ],
)
async def test_an_explanation_says_who_decides(
    gateway: GatewayUnderTest, method: str, path: str, decider: str, allowed: bool | None
) -> None:
    token = await gateway.sign_in("agw-explain-x")
    told = (await ask(gateway, token, {"method": method, "path": path})).json
    assert (told["decidedBy"], told["allowed"]) == (decider, allowed)


async def test_others_are_explained_only_to_who_may_review_them(
    gateway: GatewayUnderTest, admin: str
) -> None:
    question = {"user": "agw-explain-bob", "path": f"{RESOURCES}/namespaces/default/deployments"}
    alice = await gateway.sign_in("agw-alice")
    refused = await ask(gateway, alice, question)
    assert refused.status == 403
    assert refused.json["details"]["kind"] == "subjectaccessreviews"
    assert "agw-explain-bob" not in refused.body.decode()
    guess = {"groups": ["system:masters"], "path": "/api/v1/nodes"}
    assert (await ask(gateway, alice, guess)).status == 403, "groups that one is not in are others"
    assert (await ask(gateway, admin, question)).json["allowed"] is True
    eve = await gateway.sign_in("agw-explain-eve")
    assert (await ask(gateway, eve, question)).status == 200
    elsewhere = {**question, "path": f"{RESOURCES}/namespaces/kube-system/deployments"}
    assert (await ask(gateway, eve, elsewhere)).status == 403


@pytest.mark.parametrize(
    "question",
    [
        {}, [], b"{", {"path": "/a", "nonResourceAttributes": {"verb": "get", "path": "/a"}},
        {"path": "/kapis/../x"}, {"path": "/kapis//x"}, {"path": "x"}, {"path": "/a", "method": "TRACE"},
        {"path": "/a", "user": ""}, {"path": "/a", "groups": ["x"] * 100}, {"path": "/" + "a" * 5000},
        {"resourceAttributes": {"verb": "get"}}, {"path": "/a", "surprise": 1},
    ],
)  # fmt: skip
async def test_a_question_that_is_none_is_refused(
    gateway: GatewayUnderTest, alice: str, question: Any
) -> None:
    assert (await ask(gateway, alice, question)).status == 400


async def test_nobody_asks_without_a_token_or_past_the_gateway(gateway: GatewayUnderTest) -> None:
    assert (await gateway.get(EXPLAIN, method="POST")).status == 401
    import aiohttp

    url = f"{gateway.ops_url}{EXPLAIN}"
    async with aiohttp.ClientSession() as session, session.post(url, json={"path": "/a"}) as answer:
        assert answer.status == 401
