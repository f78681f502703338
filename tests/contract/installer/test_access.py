"""What the account of each service may do in the cluster, and some of what it must not."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from kubekit.cluster import Cluster
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
}
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
    account = Impersonation(f"system:serviceaccount:kubesphere-system:{service}")
    body = {"spec": {"resourceAttributes": attributes}}
    answer = orjson.loads(await cluster.request("POST", REVIEWS, body=body, as_user=account))
    return answer["status"]["allowed"]


@pytest.fixture(scope="module", autouse=True)
async def installed(installer: Callable[..., Any]) -> None:
    outcome = await installer("apply", "--profile", "dev")
    assert outcome.code == 0, outcome.err


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
    assert granted == []
    if service == "ks-console":
        assert [question for question in others if await allowed(cluster, service, question)] == []
