"""The status of each kind, in tables."""

import pytest

from ks_apiserver.resources import status


def node(*conditions, **spec):
    reported = [{"type": kind, "status": value} for kind, value in conditions]
    return {"spec": spec, "status": {"conditions": reported}}


@pytest.mark.parametrize(
    ("replicas", "ready", "expected"),
    [
        (2, 2, "running"),
        (2, 1, "updating"),
        (2, None, "updating"),
        (0, None, "stopped"),
        (0, 1, "updating"),
        (None, 1, "stopped"),
    ],
)
def test_deployments_and_stateful_sets(replicas, ready, expected):
    spec = {} if replicas is None else {"replicas": replicas}
    reported = {} if ready is None else {"readyReplicas": ready}
    assert status.of_replicated({"spec": spec, "status": reported}) == expected


@pytest.mark.parametrize(
    ("wanted", "available", "expected"),
    [(3, 3, "running"), (3, 1, "updating"), (3, 0, "stopped"), (0, 0, "stopped")],
)
def test_daemon_sets(wanted, available, expected):
    item = {"status": {"desiredNumberScheduled": wanted, "numberAvailable": available}}
    assert status.of_daemon_set(item) == expected


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ({"active": 1, "failed": 2}, "running"),
        ({"failed": 1, "succeeded": 1}, "failed"),
        ({"succeeded": 1}, "complete"),
        ({}, "failed"),
    ],
)
def test_jobs(reported, expected):
    assert status.of_job({"status": reported}) == expected


@pytest.mark.parametrize(
    ("spec", "expected"), [({"suspend": True}, "paused"), ({"suspend": False}, "running"), ({}, "running")]
)
def test_cron_jobs(spec, expected):
    assert status.of_cron_job({"spec": spec}) == expected


@pytest.mark.parametrize(
    ("phase", "expected"),
    [("Pending", "pending"), ("Bound", "bound"), ("Lost", "lost"), ("Odd", "pending"), (None, "pending")],
)
def test_claims(phase, expected):
    assert status.of_claim({"status": {"phase": phase} if phase else {}}) == expected


WAITS = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
STARTS = {"state": {"waiting": {"reason": "ContainerCreating"}}}
ENDED = {"state": {"terminated": {"exitCode": 1}}, "ready": False}
DONE = {"state": {"terminated": {"exitCode": 0}}}
UNPLACED = [{"type": "PodScheduled", "status": "False"}]


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ({"phase": "Running", "containerStatuses": [{"ready": True}]}, None),
        ({"phase": "Running", "containerStatuses": [{"ready": True}, {"ready": False}]}, "true"),
        ({"phase": "Running", "containerStatuses": [ENDED]}, "true"),
        ({"phase": "Pending"}, None),
        ({"phase": "Pending", "conditions": UNPLACED}, "true"),
        ({"phase": "Pending", "containerStatuses": [STARTS], "initContainerStatuses": [DONE]}, None),
        ({"phase": "Pending", "containerStatuses": [WAITS]}, "true"),
        ({"phase": "Pending", "containerStatuses": [STARTS], "initContainerStatuses": [ENDED]}, "true"),
        ({"phase": "Succeeded", "containerStatuses": [DONE]}, None),
        ({"phase": "Failed"}, "true"),
        ({}, None),
    ],
)
def test_pods_that_somebody_has_to_look_at(reported, expected):
    """RESOURCES-9"""
    assert status.abnormal_pod({"metadata": {}, "status": reported}) == expected
    ends = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": reported}
    assert status.abnormal_pod(ends) is None


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (node(("Ready", "True"), ("MemoryPressure", "False")), "running"),
        (node(("Ready", "Unknown")), "warning"),
        (node(("Ready", "True"), ("DiskPressure", "True")), "warning"),
        (node(("Ready", "True"), ("OfAnOperator", "True")), "running"),
        (node(("Ready", "False"), unschedulable=True), "unschedulable"),
        ({}, "running"),
    ],
)
def test_nodes(item, expected):
    assert status.of_node(item) == expected


def test_runs_of_s2i_say_it_themselves():
    assert status.of_s2i_run({"status": {"runState": "Successful"}}) == "Successful"
    assert status.of_s2i_run({}) == ""
