"""Running a job again."""

import pytest

from harness.waiting import eventually
from kubekit.resource import JOBS

pytestmark = pytest.mark.kubernetes

GROUPS = ["operations.kubesphere.io", "resources.kubesphere.io"]
HISTORY = '{"1":{"status":"running"}}'


def job(name, **metadata):
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}}
    return {"metadata": {"name": name, **metadata}, "spec": {"template": template, "backoffLimit": 1}}


@pytest.fixture(scope="module")
async def namespace(tenants):
    """erin is admin, otto its operator, dave a viewer; otto2 may look at jobs and delete them."""
    people = {"admin": ["erin"], "operator": ["otto"], "viewer": ["dave"]}
    name = await tenants.namespace("jobs", tenants.name("demo-ws"), **people)
    rules = [{"verbs": ["get", "delete"], "apiGroups": ["batch"], "resources": ["jobs"]}]
    await tenants.bind_in(name, "half", ["half"], "ClusterRole", await tenants.cluster_role("half", rules))
    return name


def path(namespace, name, query, group=GROUPS[0]):
    return f"/kapis/{group}/v1alpha2/namespaces/{namespace}/jobs/{name}?{query}"


async def settled(cluster, namespace, name):
    """The job, once its controller has looked at it and writes no more."""
    seen = []

    async def still():
        found = await cluster.get(JOBS, name, namespace)
        seen.append(found["metadata"]["resourceVersion"])
        assert found.get("status", {}).get("active")
        assert len(seen) > 5
        assert len(set(seen[-5:])) == 1
        return found

    return await eventually(still, timeout=60, interval=0.2)


@pytest.mark.parametrize("group", GROUPS)
async def test_a_job_runs_again(cluster, tenants, namespace, as_, group):
    name = f"again-{group.split('.')[0]}"
    labels = {"app": "x"}
    await cluster.create(JOBS, job(name, labels=labels, annotations={"revisions": HISTORY}), namespace)
    old = await settled(cluster, namespace, name)
    version = old["metadata"]["resourceVersion"]
    query = f"action=rerun&resourceVersion={version}"
    answer = await as_(tenants, "otto").request("POST", path(namespace, name, query, group))
    assert (answer.status, answer.json) == (200, {"message": "success"})
    new = await cluster.get(JOBS, name, namespace)
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    assert new["metadata"]["labels"]["app"] == "x"
    assert new["metadata"]["annotations"]["revisions"] == HISTORY.replace("running", "unfinished")
    labelled = new["spec"]["template"]["metadata"]["labels"]
    assert labelled["batch.kubernetes.io/controller-uid"] == new["metadata"]["uid"]
    stale = await as_(tenants, "otto").request("POST", path(namespace, name, query, group))
    assert stale.status == 409
    assert stale.message == (
        f'Operation cannot be fulfilled on job "{name}": please apply your changes to the latest version '
        "and try again"
    )


@pytest.mark.parametrize(
    ("person", "query", "status"),
    [
        ("otto", "action=foo", 400),
        ("otto", "", 400),
        ("otto", "action=rerun", 409),
        ("dave", "action=rerun&resourceVersion={}", 403),
        ("half", "action=rerun&resourceVersion={}", 403),
        ("mallory", "action=rerun&resourceVersion={}", 403),
    ],
)
async def test_a_job_that_is_not_run_again_stays(cluster, tenants, namespace, as_, person, query, status):
    name = f"kept-{person}-{len(query)}"
    made = await cluster.create(JOBS, job(name), namespace)
    query = query.format(made["metadata"]["resourceVersion"])
    answer = await as_(tenants, person).request("POST", path(namespace, name, query))
    assert answer.status == status, answer.text
    if query == "action=foo":
        assert answer.message == "invalid operation foo"
    assert (await cluster.get(JOBS, name, namespace))["metadata"]["uid"] == made["metadata"]["uid"]


async def test_a_job_that_could_not_be_created_again_is_not_deleted(cluster, tenants, namespace, as_):
    """OPERATIONS-3"""
    made = await cluster.create(JOBS, job("full"), namespace)
    old = await settled(cluster, namespace, "full")
    quota = {"metadata": {"name": "none-more"}, "spec": {"hard": {"count/jobs.batch": "0"}}}
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    await cluster.request("POST", quotas, body=quota)
    try:

        async def refused():
            query = f"action=rerun&resourceVersion={old['metadata']['resourceVersion']}"
            answer = await as_(tenants, "erin").request("POST", path(namespace, "full", query))
            assert answer.status == 403
            assert "none-more" in answer.message

        await eventually(refused, timeout=60)
        assert (await cluster.get(JOBS, "full", namespace))["metadata"]["uid"] == made["metadata"]["uid"]
    finally:
        await cluster.request("DELETE", f"{quotas}/none-more")


async def test_a_job_that_is_not_there_is_404(tenants, namespace, as_):
    """OPERATIONS-1"""
    query = "action=rerun&resourceVersion=1"
    answer = await as_(tenants, "erin").request("POST", path(namespace, "nosuch", query))
    assert (answer.status, answer.message) == (404, 'jobs.batch "nosuch" not found')
