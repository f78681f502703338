"""Who may open a terminal or read a log, and what is told of a container that has none."""

import pytest

from kubekit.resource import PODS, SERVICE_ACCOUNTS

pytestmark = pytest.mark.kubernetes

ROUTE = "/kapis/terminal.kubesphere.io/v1alpha2/namespaces"
POD = {
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "main", "image": "x"}, {"name": "side", "image": "x"}]},
}


@pytest.fixture(scope="module")
async def namespace(cluster, tenants):
    """With a pod `web` whose container main runs, if its status is to be believed, and whose other does not.

    erin is admin, dave a viewer; rita may run commands, and nothing else.
    """
    name = await tenants.namespace("shells", admin=["erin"], viewer=["dave"])
    runner = await tenants.cluster_role(
        "runner", [{"verbs": ["create"], "apiGroups": [""], "resources": ["pods/exec"]}]
    )
    await tenants.bind_in(name, "runner", ["rita"], "ClusterRole", runner)
    # No pod may be created before its service account is there, which a controller makes in its own time.
    account = {"metadata": {"name": "default", "namespace": name}}
    await cluster.apply(SERVICE_ACCOUNTS, account, field_manager="tests")
    await cluster.create(PODS, POD, name)
    statuses = [
        status("main", {"running": {"startedAt": "2026-01-01T00:00:00Z"}}),
        status("side", {"waiting": {"reason": "ImagePullBackOff"}}),
    ]
    await cluster.patch(PODS, "web", {"status": {"containerStatuses": statuses}}, name, subresource="status")
    return name


def status(container, state):
    return {
        "name": container,
        "state": state,
        "ready": False,
        "restartCount": 0,
        "image": "x",
        "imageID": "",
    }


@pytest.mark.parametrize("path", ["pods/web", "pods/web?container=side", "pods/nosuch", "pods/web/log"])
@pytest.mark.parametrize("person", ["bob", "mallory"])
async def test_a_stranger_learns_nothing_of_a_pod(tenants, namespace, as_, person, path):
    answer = await as_(tenants, person).get(f"{ROUTE}/{namespace}/{path}")
    assert answer.status == 403
    assert namespace not in answer.text
    assert "web" not in answer.text


async def test_a_viewer_reads_logs_but_opens_no_terminal(tenants, namespace, as_):
    """TERMINAL-1"""
    dave = as_(tenants, "dave")
    assert (await dave.get(f"{ROUTE}/{namespace}/pods/web")).status == 403
    answer = await dave.get(f"{ROUTE}/{namespace}/pods/web/log")
    assert answer.status == 400, "Kubernetes let dave read it, but the pod is on no node"


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("pods/web", 400, "open it as a WebSocket"),
        ("pods/web?container=side", 409, "ImagePullBackOff"),
        ("pods/web?container=nosuch", 400, "only main, side"),
        ("pods/nosuch", 404, "not found"),
        ("pods/nosuch/log", 404, "not found"),
        ("pods/web/log?tailLines=-1", 400, "tailLines"),
        ("pods/web/log?container=nosuch", 400, "nosuch"),
        ("pods/web/log?sinceTime=yesterday", 400, "yesterday"),
    ],
)
async def test_why_there_is_no_terminal_or_log_is_told_to_who_may_have_one(
    tenants, namespace, as_, path, status, told
):
    """TERMINAL-2"""
    answer = await as_(tenants, "erin").get(f"{ROUTE}/{namespace}/{path}")
    assert (answer.status, told in answer.message) == (status, True), answer.text


async def test_who_may_run_commands_but_not_see_pods_is_refused(tenants, namespace, as_):
    assert (await as_(tenants, "rita").get(f"{ROUTE}/{namespace}/pods/web")).status == 403
