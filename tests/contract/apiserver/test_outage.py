"""Kubernetes away: at the start, later, and back again."""

import pytest

from harness.services import running_service
from harness.signed import SignedClient
from harness.waiting import eventually

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"
RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
TERMINAL = "/kapis/terminal.kubesphere.io/v1alpha2"

SECRET = "another-secret-that-is-long-enough"

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: away
clusters: [{name: away, cluster: {server: "http://127.0.0.1:9"}}]
contexts: [{name: away, context: {cluster: away, user: nobody}}]
users: [{name: nobody, user: {}}]
"""


@pytest.fixture(scope="module")
async def cut_off(tmp_path_factory):
    """The service with a Kubernetes that is not there."""
    tmp_path = tmp_path_factory.mktemp("cut-off")
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    config = {
        "kubernetes": {"kubeconfig": str(tmp_path / "kubeconfig")},
        "authentication": {"jwtSecret": SECRET},
        "server": {"checkInterval": "200ms"},
    }
    async with running_service("ks-apiserver", config, tmp_path) as service:
        client = SignedClient(service.url, SECRET).acting_as("admin", "system:masters")
        yield client
        await client.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{TENANT}/workspaces"),
        ("GET", f"{TENANT}/workspaces/x"),
        ("GET", f"{TENANT}/namespaces"),
        ("GET", f"{TENANT}/workspaces/x/namespaces"),
        ("POST", f"{TENANT}/workspaces/x/namespaces"),
        ("DELETE", f"{TENANT}/workspaces/x/namespaces/y"),
        ("GET", f"{TENANT}/workspaces/x/devops"),
        ("GET", f"{RESOURCES}/namespaces/x/router"),
        ("POST", f"{RESOURCES}/namespaces/x/router"),
        ("PATCH", f"{RESOURCES}/storageclasses/x"),
        ("GET", f"{RESOURCES}/users/admin/kubeconfig"),
        ("GET", f"{RESOURCES}/users/admin/kubectl"),
        ("POST", f"{RESOURCES}/namespaces/x/jobs/y"),
        ("POST", f"{RESOURCES}/nodes/x/drainage"),
        ("GET", f"{RESOURCES}/nodes/x/drainage"),
        ("GET", f"{TERMINAL}/namespaces/x/pods/y"),
        ("GET", f"{TERMINAL}/namespaces/x/pods/y/log"),
    ],
)
async def test_without_kubernetes_requests_get_503_with_the_reason(cut_off, method, path):
    async def refused():
        answer = await cut_off.request(method, path, body={"metadata": {"name": "y"}})
        assert answer.status == 503, answer.text
        assert "kubernetes is not available" in answer.message
        assert "127.0.0.1:9" in answer.message

    await eventually(refused)


async def test_without_kubernetes_the_service_lives_and_says_what_is_missing(cut_off):
    assert (await cut_off.get("/healthz")).status == 200

    async def told():
        answer = await cut_off.get("/readyz")
        assert answer.status == 503
        for name in ("kubernetes", "rbac"):
            assert "127.0.0.1:9" in answer.json["dependencies"][name]["reason"]

    await eventually(told)
    assert (await cut_off.get("/kapis/v1alpha1/configz")).status == 200
