"""What belongs to one user: the kubeconfig and the kubectl pod."""

import pytest
import yaml

from ks_apiserver.users.own import Own
from kubekit.resource import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, SERVICE_ACCOUNTS
from servicekit.errors import BadGateway
from servicekit.identity import Identity

pytestmark = pytest.mark.kubernetes

USERS = "/kapis/resources.kubesphere.io/v1alpha2/users"
CONTROLS = "kubesphere-controls-system"
TERMINAL = f"/kapis/terminal.kubesphere.io/v1alpha2/namespaces/{CONTROLS}"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "local", "cluster": {"server": "https://10.96.0.1"}}],
    "users": [{"name": "alice", "user": {"token": "x"}}],
}


@pytest.fixture(scope="module")
async def alice(cluster, tenants):
    """Somebody who has a kubeconfig, and a kubectl whose pod is not ready."""
    name = tenants.name("alice")
    await cluster.apply(NAMESPACES, {"metadata": {"name": CONTROLS}}, field_manager="tests")
    account = {"metadata": {"name": "default", "namespace": CONTROLS}}
    await cluster.apply(SERVICE_ACCOUNTS, account, field_manager="tests")
    data = {"config": yaml.safe_dump(KUBECONFIG)}
    await cluster.create(CONFIG_MAPS, {"metadata": {"name": f"kubeconfig-{name}"}, "data": data}, CONTROLS)
    labels = {"username": name}
    without_account = {"automountServiceAccountToken": False}
    containers = {"containers": [{"name": "kubectl", "image": "x"}]}
    pod = {"metadata": {"labels": labels}, "spec": {**containers, **without_account}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod}
    await cluster.create(DEPLOYMENTS, {"metadata": {"name": f"kubectl-{name}"}, "spec": spec}, CONTROLS)
    await cluster.create(
        PODS, {**pod, "metadata": {"name": f"kubectl-{name}-1", **pod["metadata"]}}, CONTROLS
    )
    yield name
    await cluster.delete(CONFIG_MAPS, f"kubeconfig-{name}", CONTROLS)
    await cluster.delete(DEPLOYMENTS, f"kubectl-{name}", CONTROLS)
    await cluster.delete(PODS, f"kubectl-{name}-1", CONTROLS)


async def test_users_get_their_own_kubeconfig(tenants, alice, as_):
    answer = await as_(tenants, "alice").get(f"{USERS}/{alice}/kubeconfig")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert yaml.safe_load(answer.text) == KUBECONFIG


async def test_a_kubeconfig_names_the_address_that_is_configured(cluster, alice):
    text = await Own(cluster, "https://cluster.example.com:6443").kubeconfig(Identity(alice), alice)
    config = yaml.safe_load(text)
    assert config["clusters"][0]["cluster"]["server"] == "https://cluster.example.com:6443"
    assert config["users"] == KUBECONFIG["users"]


async def test_a_stored_kubeconfig_that_is_none_is_no_crash(cluster, alice):
    name = f"kubeconfig-{alice}"
    await cluster.patch(CONFIG_MAPS, name, {"data": {"config": "clusters: [x"}}, CONTROLS)
    try:
        with pytest.raises(BadGateway):
            await Own(cluster, "https://x").kubeconfig(Identity(alice), alice)
    finally:
        good = {"data": {"config": yaml.safe_dump(KUBECONFIG)}}
        await cluster.patch(CONFIG_MAPS, name, good, CONTROLS)


@pytest.mark.parametrize("what", ["kubeconfig", "kubectl"])
@pytest.mark.parametrize("person", ["admin", "bob"])
async def test_nobody_gets_what_is_somebody_elses(tenants, alice, as_, what, person):
    """USERS-1"""
    known = await as_(tenants, person).get(f"{USERS}/{alice}/{what}")
    unknown = await as_(tenants, person).get(f"{USERS}/nosuch/{what}")
    assert known.status == unknown.status == 403
    assert known.message == unknown.message


@pytest.mark.parametrize(("what", "object_"), [("kubeconfig", "configmaps"), ("kubectl", "deployments.apps")])
async def test_who_has_none_is_told_so(tenants, as_, what, object_):
    """USERS-2"""
    bob = tenants.name("bob")
    answer = await as_(tenants, "bob").get(f"{USERS}/{bob}/{what}")
    assert (answer.status, answer.message) == (404, f'{object_} "{what}-{bob}" not found')


async def test_the_kubectl_pod_is_told_once_it_is_ready(cluster, tenants, alice, as_):
    """USERS-2"""
    path = f"{USERS}/{alice}/kubectl"
    waiting = await as_(tenants, "alice").get(path)
    assert (waiting.status, waiting.headers["Retry-After"]) == (503, "5")
    assert waiting.message == "kubectl is not available: its pod is not ready yet"
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    await cluster.patch(PODS, f"kubectl-{alice}-1", ready, CONTROLS, subresource="status")
    answer = await as_(tenants, "alice").get(path)
    assert answer.json == {"namespace": CONTROLS, "pod": f"kubectl-{alice}-1", "container": "kubectl"}


RUNNING = {"status": {"containerStatuses": [{
    "name": "kubectl", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
    "ready": True, "restartCount": 0, "image": "x", "imageID": "",
}]}}  # fmt: skip


async def test_a_user_has_a_terminal_in_the_own_kubectl_and_in_no_other(cluster, tenants, alice, as_):
    """USERS-3: nobody has rights in that namespace, so Kubernetes alone would refuse it."""
    path = f"{TERMINAL}/pods/kubectl-{alice}-1"
    await cluster.patch(PODS, f"kubectl-{alice}-1", RUNNING, CONTROLS, subresource="status")
    answer = await as_(tenants, "alice").get(path)
    assert (answer.status, answer.message) == (400, "this is a terminal: open it as a WebSocket")
    assert (await as_(tenants, "alice").get(f"{path}?container=other")).status == 400
    for stranger in ("bob", "erin"):
        assert (await as_(tenants, stranger).get(path)).status == 403
    assert (await as_(tenants, "alice").get(f"{TERMINAL}/pods/kubectl-{alice}-2")).status == 403
    assert (await as_(tenants, "alice").get(f"{path}/log")).status == 403


async def test_a_pod_that_v2_1_1_left_with_a_powerful_account_is_nobodys_own(cluster, tenants, alice, as_):
    """USERS-3: its user would do what the account may. Here any account, since one is mounted by default."""
    name = f"kubectl-{alice}-left"
    spec = {"containers": [{"name": "kubectl", "image": "x"}]}
    pod = {"metadata": {"name": name, "labels": {"username": alice}}, "spec": spec}
    await cluster.create(PODS, pod, CONTROLS)
    try:
        await cluster.patch(PODS, name, RUNNING, CONTROLS, subresource="status")
        assert (await as_(tenants, "alice").get(f"{TERMINAL}/pods/{name}")).status == 403
    finally:
        await cluster.delete(PODS, name, CONTROLS)


async def test_a_pod_outside_of_the_platforms_namespace_is_nobodys_own(cluster, tenants, alice, as_):
    """Somebody may name and label a pod in a namespace of theirs as they like."""
    found = await Own(cluster, "").find(Identity(alice), "default", f"kubectl-{alice}-1")
    assert found is None
