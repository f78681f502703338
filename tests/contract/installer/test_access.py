"""What the account of each service may do in the cluster, and some of what it must not."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
import pytest_asyncio

from ks_installer.catalogue import Catalogue
from ks_installer.discovery import Discovery
from kubekit.cluster import Cluster
from kubekit.resource import Object, Resource
from kubekit.transport import Impersonation

pytestmark = pytest.mark.kubernetes

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RBAC = "rbac.authorization.k8s.io"
CONTROLS = "kubesphere-controls-system"

# verb, group, resource (and subresource), namespace, name
NEEDS = {
    "ks-apigateway": [
        ("impersonate", "", "users", "", "alice"),
        ("impersonate", "", "groups", "", "developers"),
        ("watch", RBAC, "rolebindings", "", ""),
    ],
    "ks-account": [
        ("impersonate", "", "users", "", "alice"),
        ("create", RBAC, "clusterrolebindings", "", ""),
        ("bind", RBAC, "clusterroles", "", "workspace:any:admin"),
        ("update", RBAC, "rolebindings", "any", ""),
        ("get", "", "namespaces", "", "any"),
        ("delete", "", "configmaps", CONTROLS, "kubeconfig-alice"),
        ("delete", "apps", "deployments", CONTROLS, "kubectl-alice"),
    ],
    "ks-apiserver": [
        ("impersonate", "", "users", "", "alice"),
        ("create", "", "namespaces", "", ""),
        ("delete", "", "namespaces", "", "any"),
        ("watch", "", "pods", "", ""),
        ("watch", "tenant.kubesphere.io", "workspaces", "", ""),
        ("watch", RBAC, "clusterroles", "", ""),
        ("watch", "devops.kubesphere.io", "s2iruns", "", ""),
        ("list", "extensions", "ingresses", "", ""),
        ("create", "", "services", CONTROLS, "kubesphere-router-any"),
        ("patch", "apps", "deployments", CONTROLS, "kubesphere-router-any"),
        ("bind", RBAC, "clusterroles", "", "kubesphere-router"),
        ("delete", RBAC, "rolebindings", "any", "kubesphere-router"),
    ],
    "ks-controller-manager": [
        ("update", "tenant.kubesphere.io", "workspaces/status", "", "any"),
        ("patch", "", "namespaces", "", "any"),
        ("escalate", RBAC, "roles", "any", "admin"),
        ("update", "coordination.k8s.io", "leases", "kubesphere-system", "any"),
        ("create", "", "events", "default", ""),
        ("patch", "apps", "statefulsets", "any", "any"),
        ("watch", "app.k8s.io", "applications", "", ""),
        ("patch", "", "configmaps", "any", "any"),
        ("delete", "devops.kubesphere.io", "s2ibinaries", "any", "any"),
        ("update", "network.kubesphere.io", "namespacenetworkpolicies/finalizers", "any", "any"),
        ("delete", "apps", "deployments", CONTROLS, "kubesphere-router-any"),
    ],
    "ks-console": [],
    "prometheus-k8s": [
        ("list", "", "pods", "", ""),
        ("watch", "discovery.k8s.io", "endpointslices", "", ""),
        ("get", "", "nodes/metrics", "", "any"),
    ],
    "kube-state-metrics": [
        ("list", "apps", "deployments", "", ""),
        ("watch", "", "namespaces", "", ""),
        ("list", "", "secrets", "", ""),
        ("create", "authentication.k8s.io", "tokenreviews", "", ""),
        ("create", "authorization.k8s.io", "subjectaccessreviews", "", ""),
    ],
    "node-exporter": [
        ("create", "authentication.k8s.io", "tokenreviews", "", ""),
        ("create", "authorization.k8s.io", "subjectaccessreviews", "", ""),
    ],
    "metrics-server": [
        ("get", "", "nodes/metrics", "", "any"),
        ("watch", "", "pods", "", ""),
        ("create", "authorization.k8s.io", "subjectaccessreviews", "", ""),
    ],
}
ELSEWHERE = {
    "prometheus-k8s": "kubesphere-monitoring-system",
    "kube-state-metrics": "kubesphere-monitoring-system",
    "node-exporter": "kubesphere-monitoring-system",
    "metrics-server": "kube-system",
}
"""The namespaces of accounts that are not in kubesphere-system."""
HAS_TO = {
    # It counts them: the figures of v2.1.1 are made of kube_secret_info.
    "kube-state-metrics": [("list", "", "secrets", "", "")],
}
"""What nobody else may."""
GRANTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
FOR_NOBODY = [
    ("*", "*", "*", "", ""),
    ("list", "", "secrets", "", ""),
    ("get", "", "secrets", "kubesphere-system", "ks-account-secret"),
    ("create", "", "pods", "default", ""),
    ("create", "", "pods/exec", "default", "any"),
    ("create", "", "secrets", "kubesphere-system", ""),
    ("update", "", "secrets", "kubesphere-system", "ks-account-secret"),
    ("create", "", "pods/attach", "default", "any"),
    ("create", "", "pods/portforward", "default", "any"),
    ("update", "", "pods/ephemeralcontainers", "default", "any"),
    ("create", "", "pods/proxy", "kubesphere-system", "any"),
    ("get", "", "nodes/proxy", "", "any"),
    ("update", "", "nodes", "", "any"),
    ("delete", "", "persistentvolumes", "", "any"),
    ("create", "apps", "daemonsets", "kube-system", ""),
    ("create", "apps", "deployments", "kubesphere-system", ""),
    ("create", "", "serviceaccounts/token", "kubesphere-system", "any"),
    ("create", "", "serviceaccounts/token", "kube-system", "any"),
    ("delete", "tenant.kubesphere.io", "workspaces", "", "any"),
    ("update", "apiextensions.k8s.io", "customresourcedefinitions", "", "any"),
    ("create", "apiregistration.k8s.io", "apiservices", "", ""),
    ("create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", ""),
    ("delete", "admissionregistration.k8s.io", "validatingadmissionpolicies", "", "any"),
    ("impersonate", "", "serviceaccounts", "kube-system", "any"),
    ("impersonate", "authentication.k8s.io", "userextras/scopes", "", "any"),
    ("impersonate", "authentication.k8s.io", "uids", "", "any"),
    ("approve", "certificates.k8s.io", "signers", "", "kubernetes.io/kubelet-serving"),
    ("sign", "certificates.k8s.io", "signers", "", "kubernetes.io/kube-apiserver-client"),
]


async def allowed(cluster: Cluster, service: str, question: tuple[str, ...]) -> bool:
    verb, group, resource, namespace, name = question
    plain, _, subresource = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": plain, "subresource": subresource}
    attributes |= {"namespace": namespace, "name": name}
    namespace = ELSEWHERE.get(service, "kubesphere-system")
    account = Impersonation(f"system:serviceaccount:{namespace}:{service}")
    body = {"spec": {"resourceAttributes": attributes}}
    answer = orjson.loads(await cluster.request("POST", REVIEWS, body=body, as_user=account))
    return answer["status"]["allowed"]


@pytest_asyncio.fixture(scope="module", autouse=True)
async def installed(installer: Callable[..., Any], cluster: Cluster) -> AsyncIterator[None]:
    """With the accounts of monitoring besides, whose pods this control plane has no node for."""
    outcome = await installer("apply", "--profile", "dev")
    assert outcome.code == 0, outcome.err
    discovery = Discovery(cluster)
    made: list[tuple[Resource, Object]] = []
    for component in ("monitoring", "metrics_server"):
        for obj in Catalogue.installed().component(component).manifests:
            resource = await discovery.resource_of(obj)
            if obj["kind"] in GRANTS and resource is not None:
                made.append((resource, await cluster.apply(resource, obj, field_manager="tests")))
    yield
    for resource, obj in made:
        await cluster.delete(resource, obj["metadata"]["name"], obj["metadata"].get("namespace"))


@pytest.mark.parametrize("service", NEEDS)
async def test_a_service_may_do_what_it_has_to(service: str, cluster: Cluster) -> None:
    refused = [question for question in NEEDS[service] if not await allowed(cluster, service, question)]
    assert refused == []


NOT_FOR = {
    "ks-apigateway": [
        ("create", RBAC, "clusterrolebindings", "", ""),
        ("bind", RBAC, "clusterroles", "", "cluster-admin"),
        ("create", "", "namespaces", "", ""),
        ("get", "", "pods", "default", "any"),
        ("get", "", "configmaps", CONTROLS, "kubeconfig-admin"),
        ("get", "tenant.kubesphere.io", "workspaces", "", "any"),
    ],
    "ks-account": [
        ("escalate", RBAC, "clusterroles", "", "any"),
        ("update", RBAC, "clusterroles", "", "cluster-admin"),
        ("create", "", "namespaces", "", ""),
        ("get", "", "pods", "default", "any"),
        ("create", "apps", "deployments", "default", ""),
        ("get", "", "configmaps", "default", "any"),
    ],
    "ks-controller-manager": [
        ("impersonate", "", "users", "", "admin"),
        ("impersonate", "", "groups", "", "system:masters"),
        ("create", "", "namespaces", "", ""),
        ("delete", "", "namespaces", "", "any"),
    ],
    "ks-console": [
        ("get", "", "namespaces", "", "default"),
        ("list", RBAC, "roles", "default", ""),
        ("get", "", "configmaps", "kubesphere-system", "kubesphere-config"),
    ],
}
"""What the account of one service must not do although that of another may."""


@pytest.mark.parametrize("service", NOT_FOR)
async def test_what_others_may_is_not_for_a_service(service: str, cluster: Cluster) -> None:
    assert [each for each in NOT_FOR[service] if await allowed(cluster, service, each)] == []


NOT_FOR_APISERVER = [
    ("bind", RBAC, "clusterroles", "", "cluster-admin"),
    ("bind", RBAC, "roles", CONTROLS, "any"),
    ("escalate", RBAC, "roles", CONTROLS, "any"),
    ("delete", RBAC, "rolebindings", "any", "admin"),
    ("create", "apps", "deployments", "any", ""),
    ("create", "", "services", "any", ""),
    ("create", "batch", "jobs", "any", ""),
    ("create", "", "pods/eviction", "any", "any"),
    ("patch", "", "nodes", "", "any"),
    ("patch", "storage.k8s.io", "storageclasses", "", "any"),
    ("get", "", "pods/log", "any", "any"),
    ("create", "", "pods/exec", "any", "any"),
]
"""What it does as its callers, who have to be allowed to."""


async def test_the_apiserver_does_as_its_callers_what_they_have_to_be_allowed_to(cluster: Cluster) -> None:
    granted = [each for each in NOT_FOR_APISERVER if await allowed(cluster, "ks-apiserver", each)]
    assert granted == []


@pytest.mark.parametrize("service", NEEDS)
async def test_a_service_may_do_no_more(service: str, cluster: Cluster) -> None:
    others = [question for name, needs in NEEDS.items() if name != service for question in needs]
    granted = [question for question in FOR_NOBODY if await allowed(cluster, service, question)]
    assert granted == HAS_TO.get(service, [])
    if service == "ks-console":
        assert [question for question in others if await allowed(cluster, service, question)] == []
