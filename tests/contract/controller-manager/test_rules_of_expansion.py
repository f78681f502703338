"""Claims that wait to grow, and the workloads stopped for them: tables, without a cluster."""

import json
from typing import Any

import pytest

from ks_controller_manager.volumeexpansion import claims, workloads
from ks_controller_manager.volumeexpansion.workloads import Record

QINGCLOUD = ("disk.csi.qingcloud.com", "csi-qingcloud")
PENDING = {"type": "FileSystemResizePending", "status": "True"}
ERROR = {"type": "ControllerResizeError", "status": "True", "message": "quota exceeded"}


def claim(asked: str, has: str, phase: str = "Bound", served: str = "", **status: Any) -> dict[str, Any]:
    annotations = {claims.SERVED_ANNOTATION: served} if served else {}
    return {
        "metadata": {"name": "data", "namespace": "n", "uid": "c1", "annotations": annotations},
        "spec": {"storageClassName": "disk", "resources": {"requests": {"storage": asked}}},
        "status": {"phase": phase, "capacity": {"storage": has}, **status},
    }


@pytest.mark.parametrize(
    ("storage_class", "wanted"),
    [
        ({"provisioner": "disk.csi.qingcloud.com", "allowVolumeExpansion": True}, True),
        ({"provisioner": "csi-qingcloud", "allowVolumeExpansion": True}, True),
        ({"provisioner": "csi-qingcloud", "allowVolumeExpansion": False}, False),
        ({"provisioner": "csi-qingcloud"}, False),
        ({"provisioner": "ebs.csi.aws.com", "allowVolumeExpansion": True}, False),
        ({"provisioner": "ebs.csi.aws.com", "allowVolumeExpansion": True, "said": "true"}, True),
        ({"provisioner": "ebs.csi.aws.com", "said": "true"}, False),
        ({"provisioner": "csi-qingcloud", "allowVolumeExpansion": True, "said": "false"}, False),
        ({"provisioner": "csi-qingcloud", "allowVolumeExpansion": True, "said": "perhaps"}, True),
    ],
)
def test_the_class_says_whether_its_volumes_grow_unmounted_only(
    storage_class: dict[str, Any], wanted: bool
) -> None:
    """expansion-classes"""
    said = storage_class.pop("said", None)
    annotations = {claims.OFFLINE_ANNOTATION: said} if said else {}
    whole = {"metadata": {"name": "disk", "annotations": annotations}, **storage_class}
    assert claims.grows_offline(whole, QINGCLOUD) is wanted


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (claim("20Gi", "10Gi"), True),
        (claim("20Gi", "20Gi"), False),
        (claim("10Gi", "20Gi"), False),
        (claim("1024Mi", "1Gi"), False),
        (claim("20Gi", "10Gi", phase="Pending"), False),
        (claim("20Gi", "10Gi", served="20Gi"), False),
        (claim("30Gi", "10Gi", served="20Gi"), True),
        ({"metadata": {"name": "data"}}, False),
    ],
)
def test_a_claim_waits_until_it_has_what_it_asks_for_or_was_served(found: Any, wanted: bool) -> None:
    assert claims.waits(found) is wanted


@pytest.mark.parametrize(
    ("found", "grown", "refused"),
    [
        (claim("20Gi", "10Gi"), False, ""),
        (claim("20Gi", "20Gi"), True, ""),
        (claim("20Gi", "10Gi", conditions=[PENDING]), True, ""),
        (claim("20Gi", "10Gi", conditions=[{**PENDING, "status": "False"}]), False, ""),
        (claim("30Gi", "10Gi", conditions=[PENDING], allocatedResources={"storage": "20Gi"}), False, ""),
        (claim("20Gi", "10Gi", conditions=[PENDING], allocatedResources={"storage": "20Gi"}), True, ""),
        (claim("20Gi", "10Gi", conditions=[ERROR]), False, "quota exceeded"),
        (
            claim("20Gi", "10Gi", allocatedResourceStatuses={"storage": "ControllerResizeInfeasible"}),
            False,
            "the storage refused that size",
        ),
        (
            claim("20Gi", "10Gi", allocatedResourceStatuses={"storage": "ControllerResizeInProgress"}),
            False,
            "",
        ),
    ],
)
def test_what_the_storage_says_of_a_claim_is_understood(found: Any, grown: bool, refused: str) -> None:
    assert (claims.grown(found), claims.refused(found)) == (grown, refused)


def workload(replicas: int | None = 2, record: str = "", **spec: Any) -> dict[str, Any]:
    annotations = {workloads.RECORD_ANNOTATION: record} if record else {}
    metadata = {
        "name": "db",
        "namespace": "n",
        "uid": "w1",
        "resourceVersion": "7",
        "annotations": annotations,
    }
    return {"metadata": metadata, "spec": {"replicas": replicas, **spec}}


def test_one_patch_stops_a_workload_and_says_how_to_start_it() -> None:
    patch = workloads.stopped(workload(3), "data", 1_800_000_000)
    assert patch["spec"] == {"replicas": 0}
    assert (patch["metadata"]["uid"], patch["metadata"]["resourceVersion"]) == ("w1", "7")
    stopped = workload(0, patch["metadata"]["annotations"][workloads.RECORD_ANNOTATION])
    record = workloads.record_of(stopped)
    assert record == Record("data", 3, 1_800_000_000)
    started = workloads.started(stopped, Record("data", 3, 1_800_000_000))
    assert started["spec"] == {"replicas": 3}
    assert started["metadata"]["annotations"] == {workloads.RECORD_ANNOTATION: None}


def test_what_somebody_started_meanwhile_stays_as_it_is() -> None:
    assert "spec" not in workloads.started(workload(1), Record("data", 3, 0))


def test_a_workload_that_says_nothing_has_one_replica() -> None:
    assert workloads.replicas(workload(None)) == 1
    assert json.loads(
        workloads.stopped(workload(None), "data", 0)["metadata"]["annotations"][workloads.RECORD_ANNOTATION]
    ) == {"claim": "data", "replicas": 1, "since": "1970-01-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", '{"claim": "c"}', '{"claim":1,"replicas":"x","since":"y"}']
)
def test_a_record_that_somebody_broke_is_left_alone(text: str) -> None:
    assert workloads.record_of(workload(0, text)) is None
    assert workloads.claims_waited_for(workload(0, text)) == []


VOLUMES = [{"name": "v", "persistentVolumeClaim": {"claimName": "shared"}}, {"name": "e", "emptyDir": {}}]
TEMPLATES = [{"metadata": {"name": "data"}}, {"metadata": {"name": "log"}}]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (workload(0, template={"spec": {"volumes": VOLUMES}}), ["old", "shared"]),
        (
            workload(0, volumeClaimTemplates=TEMPLATES),
            ["old", "data-db-0", "data-db-1", "log-db-0", "log-db-1"],
        ),
        (
            workload(0, volumeClaimTemplates=TEMPLATES[:1], ordinals={"start": 5}),
            ["old", "data-db-5", "data-db-6"],
        ),
        (workload(0), ["old"]),
    ],
)
def test_the_claims_of_a_stopped_workload_are_known_without_its_pods(found: Any, wanted: list[str]) -> None:
    assert workloads.claims_of(found, Record("old", 2, 0)) == wanted


def test_a_record_of_a_million_replicas_costs_nothing() -> None:
    many = workloads.claims_of(workload(0, volumeClaimTemplates=TEMPLATES[:1]), Record("old", 10**12, 0))
    assert len(many) == workloads.MAX_ORDINALS + 1


def controlled(kind: str, name: str, api_version: str = "apps/v1") -> dict[str, Any]:
    reference = {"apiVersion": api_version, "kind": kind, "name": name, "uid": "u", "controller": True}
    return {"metadata": {"ownerReferences": [reference]}}


@pytest.mark.parametrize(
    ("pod", "wanted"),
    [
        (controlled("ReplicaSet", "web-1"), ("ReplicaSet", "web-1")),
        (controlled("StatefulSet", "db"), ("StatefulSet", "db")),
        (controlled("Deployment", "d", "example.org/v1"), ("", "")),
        ({"metadata": {}}, ("", "")),
    ],
)
def test_whose_a_pod_is(pod: Any, wanted: tuple[str, str]) -> None:
    assert workloads.owner_of(pod) == wanted
