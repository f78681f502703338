"""Jobs on a real cluster: the history of their runs."""

import json
from typing import Any

import pytest

from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.resource import EVENTS, JOBS, Object

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("chosen")]

CONTROLLERS = ("job-controller",)

POD = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "none"}]}
ENDED = "2026-01-02T03:05:06Z"


def job(name: str, namespace: str, annotations: dict[str, str] | None = None) -> Object:
    metadata = {"name": name, "namespace": namespace, "annotations": annotations or {}}
    return {
        "metadata": metadata,
        "spec": {"suspend": True, "completions": 2, "template": {"spec": POD}},
    }


async def runs(cluster: Cluster, name: str, namespace: str) -> dict[str, Any]:
    metadata = (await cluster.get(JOBS, name, namespace))["metadata"]
    return json.loads(metadata.get("annotations", {}).get("revisions", "{}"))


async def recorded(cluster: Cluster, namespace: str, *outcomes: str) -> dict[str, Any]:
    async def check() -> dict[str, Any]:
        found = await runs(cluster, "backup", namespace)
        assert [run["status"] for run in found.values()] == list(outcomes)
        return found

    return await eventually(check)


async def told(cluster: Cluster, namespace: str, reason: str, text: str) -> None:
    async def check() -> None:
        found = (await cluster.list(EVENTS, namespace)).items
        assert any(event["reason"] == reason and text in event["message"] for event in found)

    await eventually(check, 60)


async def fail(cluster: Cluster, namespace: str) -> None:
    """As kube-controller-manager says it of a Job whose pods fail."""
    why = {"status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached its limit"}
    status = {
        "failed": 1,
        "startTime": ENDED,
        "conditions": [{"type": kind, **why} for kind in ("FailureTarget", "Failed")],
    }
    await cluster.patch(JOBS, "backup", {"status": status}, namespace, subresource="status")


async def test_a_job_that_is_run_again_keeps_the_history_of_its_runs(cluster: Cluster, tenants: Any) -> None:
    namespace = (await tenants.namespace())["metadata"]["name"]
    first = await cluster.create(JOBS, job("backup", namespace), namespace)
    assert (await recorded(cluster, namespace, "running"))["1"]["desire"] == 2
    await fail(cluster, namespace)
    failed = (await recorded(cluster, namespace, "failed"))["1"]
    assert (failed["reasons"], failed["uid"]) == (["BackoffLimitExceeded"], first["metadata"]["uid"])

    history = (await cluster.get(JOBS, "backup", namespace))["metadata"]["annotations"]
    await cluster.delete(JOBS, "backup", namespace)

    async def gone() -> None:
        left = [found["metadata"]["name"] for found in (await cluster.list(JOBS, namespace)).items]
        assert "backup" not in left

    await eventually(gone)
    await cluster.create(JOBS, job("backup", namespace, history), namespace)
    again = await recorded(cluster, namespace, "failed", "running")
    assert again["1"] == failed
    await told(
        cluster, namespace, "RunFailed", "run 1 failed: BackoffLimitExceeded; Job has reached its limit"
    )


async def test_a_history_that_is_no_history_stays(cluster: Cluster, tenants: Any) -> None:
    namespace = (await tenants.namespace())["metadata"]["name"]
    await cluster.create(JOBS, job("mine", namespace, {"revisions": "my own words"}), namespace)
    await cluster.create(JOBS, job("backup", namespace), namespace)
    await recorded(cluster, namespace, "running")
    kept = await cluster.get(JOBS, "mine", namespace)
    assert kept["metadata"]["annotations"]["revisions"] == "my own words"
    await told(cluster, namespace, "RunsNotRecorded", "the annotation revisions is none of ours")
