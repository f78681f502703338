"""Who may do what below /kapis, from the cluster's roles and bindings."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from harness.gateway import GatewayUnderTest
from harness.kubernetes import KubernetesServer
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.errors import NotFound
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES, Resource

pytestmark = pytest.mark.kubernetes

RBAC = "rbac.authorization.k8s.io"
IAM = "/kapis/iam.kubesphere.io/v1alpha2"
RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
TERMINAL = "/kapis/terminal.kubesphere.io/v1alpha2/namespaces"


def role(name: str, namespace: str | None, *rules: dict[str, Any]) -> dict[str, Any]:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": list(rules)}


def binding(name: str, namespace: str | None, kind: str, subject: str) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": "Role" if namespace else "ClusterRole", "name": name},
        "subjects": [{"apiGroup": RBAC, "kind": kind, "name": subject}],
    }


RULE = {"apiGroups": ["resources.kubesphere.io"], "resources": ["deployments"], "verbs": ["get", "list"]}
OBJECTS: list[tuple[Resource, dict[str, Any]]] = [
    (ROLES, role("agw-ns", "default", RULE)),
    (ROLE_BINDINGS, binding("agw-ns", "default", "User", "agw-bob")),
    (CLUSTER_ROLES, role("agw-nodes", None, {**RULE, "resources": ["nodes"]})),
    (CLUSTER_ROLE_BINDINGS, binding("agw-nodes", None, "Group", "agw-operators")),
]


@pytest_asyncio.fixture(scope="module", autouse=True)
async def roles(gateway: GatewayUnderTest, kubernetes: KubernetesServer) -> AsyncIterator[None]:
    """agw-bob reads deployments of the namespace default; the group agw-operators reads nodes."""
    async with Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig))) as cluster:
        for resource, wanted in OBJECTS:
            await cluster.apply(resource, wanted, field_manager="tests")
        token = await gateway.sign_in("agw-bob", groups=["agw-operators"])

        async def known() -> None:
            for path in ("namespaces/default/deployments", "nodes"):
                assert (await gateway.get(f"{RESOURCES}/{path}", token=token)).status == 200

        await eventually(known)
        yield
        for resource, wanted in OBJECTS:
            try:
                metadata = wanted["metadata"]
                await cluster.delete(resource, metadata["name"], metadata.get("namespace"))
            except NotFound:
                pass


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{RESOURCES}/namespaces/default/deployments", 200),
        ("GET", f"{RESOURCES}/namespaces/default/deployments/web", 200),
        ("HEAD", f"{RESOURCES}/namespaces/default/deployments/web", 200),
        ("DELETE", f"{RESOURCES}/namespaces/default/deployments/web", 403),
        ("POST", f"{RESOURCES}/namespaces/default/deployments", 403),
        ("GET", f"{RESOURCES}/namespaces/default/pods", 403),
        ("GET", f"{RESOURCES}/namespaces/kube-system/deployments", 403),
        ("GET", f"{RESOURCES}/deployments", 403),
        ("GET", f"{RESOURCES}/nodes", 403),
        ("GET", f"{RESOURCES}/namespaces/default/deployments/web/scale", 403),
        ("OPTIONS", f"{RESOURCES}/namespaces/default/deployments", 403),
        ("GET", "/kapis/monitoring.kubesphere.io/v1alpha2/cluster", 403),
        ("GET", "/kapis/terminal.kubesphere.io/v1alpha2/namespaces/default/pods/x", 403),
        ("GET", "/kapis", 403),
        ("GET", "/kapis/nosuch.io/v1", 403),
        ("GET", "/job/x", 403),
    ],
)
async def test_a_user_may_do_what_a_binding_grants_and_no_more(
    gateway: GatewayUnderTest, method: str, path: str, status: int
) -> None:
    token = await gateway.sign_in("agw-bob")
    assert (await gateway.get(path, token=token, method=method)).status == status


async def test_groups_of_the_token_count(gateway: GatewayUnderTest) -> None:
    path = f"{RESOURCES}/nodes"
    inside = await gateway.sign_in("agw-carol", groups=["agw-operators"])
    outside = await gateway.sign_in("agw-carol", groups=["agw-other"])
    assert (await gateway.get(path, token=inside)).status == 200
    assert (await gateway.get(path, token=outside)).status == 403


async def test_a_token_cannot_put_its_user_among_the_masters(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-carol", groups=["system:masters"])
    assert (await gateway.get(f"{RESOURCES}/nodes", token=token)).status == 403
    assert (await gateway.get("/api/v1/nodes", token=token)).status == 403


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (f"{IAM}/users", "users.iam.kubesphere.io is "),
        (f"{IAM}/users/agw-bob", 'users.iam.kubesphere.io "agw-bob" is '),
        (f"{IAM}/workspaces/demo-ws/members", 'workspaces.iam.kubesphere.io "demo-ws" is '),
        (f"{IAM}/namespaces/ns1/roles/admin/rules", 'roles.iam.kubesphere.io "admin" is '),
        ("/kapis/monitoring.kubesphere.io/v1alpha2/cluster", "cluster.monitoring.kubesphere.io is "),
        (f"{RESOURCES}/namespaces/ns1/quotas", "quotas.resources.kubesphere.io is "),
    ],
)
async def test_a_refusal_says_what_was_refused(
    gateway: GatewayUnderTest, alice: str, path: str, what: str
) -> None:
    answer = await gateway.get(path, token=alice)
    assert answer.status == 403
    assert answer.headers["www-authenticate"] == f"Forbidden,{what}forbidden: permission undefined"
    assert answer.json["reason"] == "Forbidden"
    assert answer.json["message"].startswith(f'{what}forbidden: User "agw-alice" cannot ')


async def test_a_refusal_names_verb_resource_and_namespace_as_kubernetes_does(
    gateway: GatewayUnderTest, alice: str
) -> None:
    """GATEWAY-26"""
    path = f"{RESOURCES}/namespaces/ns1/deployments/web"
    answer = await gateway.get(path, "X-Request-Id: mine", token=alice, method="DELETE")
    assert answer.json == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 403,
        "reason": "Forbidden", "requestId": "mine",
        "details": {"name": "web", "group": "resources.kubesphere.io", "kind": "deployments"},
        "message": 'deployments.resources.kubesphere.io "web" is forbidden: User "agw-alice" cannot delete '
        'resource "deployments" in API group "resources.kubesphere.io" in the namespace "ns1"',
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{IAM}/users/agw-alice", 200),
        ("PUT", f"{IAM}/users/agw-alice", 200),
        ("GET", f"{IAM}/users/agw-alice/logs", 200),
        ("GET", f"{IAM}/users/agw-alice/roles", 200),
        ("GET", f"{RESOURCES}/users/agw-alice/kubeconfig", 200),
        ("GET", f"{RESOURCES}/users/agw-alice/kubectl", 200),
        ("DELETE", f"{IAM}/users/agw-alice", 403),
        ("PATCH", f"{IAM}/users/agw-alice", 403),
        ("POST", f"{IAM}/users/agw-alice", 403),
        ("PUT", f"{IAM}/users/agw-alice/roles", 403),
        ("PUT", f"{RESOURCES}/users/agw-alice", 403),
        ("GET", f"{IAM}/users/agw-alice2", 403),
        ("GET", f"{IAM}/users/agw-bob/logs", 403),
        ("GET", f"{IAM}/users", 403),
        ("GET", f"{IAM}/namespaces/default/users/agw-alice", 403),
        ("GET", f"{IAM}/rulesmapping/clusterroles", 200),
        ("POST", f"{IAM}/rulesmapping/clusterroles", 403),
        ("DELETE", f"{IAM}/token", 200),
        ("GET", f"{IAM}/token", 403),
        ("DELETE", f"{IAM}/users/agw-alice/sessions", 200),
        ("DELETE", f"{IAM}/users/agw-bob/sessions", 403),
        ("GET", f"{TERMINAL}/kubesphere-controls-system/pods/kubectl-agw-alice-7d9-x2x", 200),
        ("GET", f"{TERMINAL}/kubesphere-controls-system/pods/kubectl-agw-bob-7d9-x2x", 403),
        ("GET", f"{TERMINAL}/kubesphere-controls-system/pods/kubectl-agw-alice-7d9-x2x/log", 403),
        ("GET", f"{TERMINAL}/default/pods/kubectl-agw-alice-7d9-x2x", 403),
    ],
)
async def test_a_user_without_rights_has_only_their_own_account(
    gateway: GatewayUnderTest, alice: str, method: str, path: str, status: int
) -> None:
    assert (await gateway.get(path, token=alice, method=method)).status == status


async def test_a_right_that_is_taken_away_is_gone(
    gateway: GatewayUnderTest, kubernetes: KubernetesServer
) -> None:
    token = await gateway.sign_in("agw-dan")
    path = f"{RESOURCES}/nodes"
    wanted = binding("agw-nodes", None, "User", "agw-dan") | {"metadata": {"name": "agw-dan"}}
    async with Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig))) as cluster:
        assert (await gateway.get(path, token=token)).status == 403
        await cluster.apply(CLUSTER_ROLE_BINDINGS, wanted, field_manager="tests")

        async def answers(status: int) -> None:
            assert (await gateway.get(path, token=token)).status == status

        await eventually(lambda: answers(200))
        await cluster.delete(CLUSTER_ROLE_BINDINGS, "agw-dan")
        await eventually(lambda: answers(403))


async def test_before_the_roles_are_known_nobody_is_allowed(start_gateway: Any, tmp_path: Any) -> None:
    import yaml

    nowhere = tmp_path / "kubeconfig"
    nowhere.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
                "users": [{"name": "a", "user": {}}],
                "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
                "current-context": "a",
            }
        )
    )
    async with start_gateway(kubeconfig=nowhere) as gateway:
        token = await gateway.sign_in("agw-alice")
        answer = await gateway.get(f"{RESOURCES}/nodes", token=token)
        assert answer.status == 503
        assert answer.json["message"].startswith("kubernetes is not available")
        assert (await gateway.get("/api/v1/nodes", token=token)).status == 503
        assert (await gateway.get("/readyz")).status == 503
        assert (await gateway.get("/kapis/v1alpha1/configz")).status == 200


async def test_the_last_known_roles_decide_for_a_while_without_kubernetes(
    start_gateway: Any, gateway: GatewayUnderTest, kubernetes: KubernetesServer
) -> None:
    async with start_gateway(rolesStale="4s") as short:
        bob = await short.sign_in("agw-bob")
        path = f"{RESOURCES}/namespaces/default/deployments"

        async def answers(status: int) -> None:
            assert (await short.get(path, token=bob)).status == status

        await eventually(lambda: answers(200), timeout=30)
        await kubernetes.stop_apiserver(hard=True)
        try:
            await answers(200)
            assert (await short.get("/api/v1/nodes", token=bob)).status in (502, 503)
            await eventually(lambda: answers(503), timeout=60)
            assert (await gateway.get(path, token=bob)).status == 200, "its roles may be ten minutes old"
        finally:
            await kubernetes.start_apiserver()
        await eventually(lambda: answers(200), timeout=60)
