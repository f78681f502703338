"""When an object counts as ready, and the reason that is given while it does not."""

import pytest

from ks_installer.diagnosis import trouble_of_pod
from ks_installer.readiness import waiting_for


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict:
    return {"conditions": [{"type": kind, "status": status, "reason": reason, "message": message}]}


def container(state: dict, **more: object) -> dict:
    return {"containerStatuses": [{"name": "c", "state": state, **more}]}


def obj(kind: str, status: dict | None = None, spec: dict | None = None, **meta: object) -> dict:
    return {"kind": kind, "metadata": {"name": "x", **meta}, "spec": spec or {}, "status": status or {}}


READY = [
    obj("ConfigMap"),
    obj("Namespace", {"phase": "Active"}),
    obj("CustomResourceDefinition", condition("Established", "True")),
    obj("Deployment", {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}),
    obj("Deployment", {}, {"replicas": 0}),
    obj("StatefulSet", {"updatedReplicas": 2, "readyReplicas": 2}, {"replicas": 2}),
    obj("DaemonSet", {"desiredNumberScheduled": 0}),
    obj("Job", condition("Complete", "True")),
    obj("PersistentVolumeClaim", {"phase": "Bound"}),
]

DELETED = obj("ConfigMap", deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["a/b"])
UNSEEN = obj("Deployment", {"observedGeneration": 1}, generation=2)
ROLLING = obj("Deployment", {"replicas": 2, "updatedReplicas": 1, "availableReplicas": 1})
HALF = obj("Deployment", {"updatedReplicas": 3, "availableReplicas": 1}, {"replicas": 3})

NOT_READY = [
    (obj("Namespace", {"phase": "Terminating"}), "its phase is Terminating"),
    (DELETED, "it is being deleted; finalizers left: a/b"),
    (obj("CustomResourceDefinition"), "condition Established is not reported yet"),
    (
        obj("CustomResourceDefinition", condition("NamesAccepted", "False", "Conflict", "taken")),
        "Conflict: taken",
    ),
    (UNSEEN, "the change was not picked up yet"),
    (
        obj("Deployment", condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota")),
        "exceeded quota",
    ),
    (
        obj("Deployment", condition("Progressing", "False", "ProgressDeadlineExceeded")),
        "ProgressDeadlineExceeded",
    ),
    (HALF, "1 of 3 replicas"),
    (ROLLING, "1 replicas of before are still there"),
    (obj("StatefulSet", {"updatedReplicas": 1, "readyReplicas": 0}), "0 of 1 replicas"),
    (obj("DaemonSet", {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2}), "0 of 2 replicas"),
    (obj("Job", condition("Failed", "True", "BackoffLimitExceeded")), "BackoffLimitExceeded"),
    (obj("PersistentVolumeClaim", {"phase": "Pending"}), "its phase is Pending"),
    (obj("APIService", condition("Available", "False", "MissingEndpoints")), "MissingEndpoints"),
]

PODS = [
    (container({"running": {}}), None),
    (container({"waiting": {"reason": "ContainerCreating"}}), None),
    (
        condition("PodScheduled", "False", "Unschedulable", "0/1 nodes are available"),
        "pod p cannot be scheduled: 0/1 nodes are available",
    ),
    (
        container({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}),
        "pod p, container c: ImagePullBackOff: no such image",
    ),
    (
        container({"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"exitCode": 2}}),
        "pod p, container c: CrashLoopBackOff (last exit code 2)",
    ),
    (
        {
            "initContainerStatuses": [
                {"name": "i", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
            ]
        },
        "pod p, container i ended with 1: Error",
    ),
]


@pytest.mark.parametrize("ready", READY)
def test_a_ready_object_waits_for_nothing(ready: dict) -> None:
    assert waiting_for(ready) is None


@pytest.mark.parametrize(("waiting", "reason"), NOT_READY)
def test_an_object_that_is_not_ready_says_why(waiting: dict, reason: str) -> None:
    assert reason in (waiting_for(waiting) or "")


@pytest.mark.parametrize(("status", "reason"), PODS)
def test_a_pod_in_trouble_says_which_container_and_why(status: dict, reason: str | None) -> None:
    assert trouble_of_pod({"metadata": {"name": "p"}, "status": status}) == reason
