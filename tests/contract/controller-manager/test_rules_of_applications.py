"""What an Application consists of and what its status says: tables, without a cluster."""

from typing import Any

import pytest

from ks_controller_manager.application import owners, status
from ks_controller_manager.application.discovery import definition
from ks_controller_manager.application.kinds import MAX_KINDS, Kind, kinds
from ks_controller_manager.application.readiness import IN_PROGRESS, READY, state, summary
from kubekit.resource import DEPLOYMENTS, SERVICES

BEFORE, NOW = "2026-01-02T03:04:05Z", "2026-01-02T03:05:06Z"


def application(**more: Any) -> dict[str, Any]:
    metadata = {"name": "shop", "namespace": "n", "uid": "a1", "generation": 3}
    return {"apiVersion": "app.k8s.io/v1beta1", "kind": "Application", "metadata": metadata, **more}


def naming(*named: dict[str, str]) -> dict[str, Any]:
    return application(spec={"componentKinds": list(named)})


def obj(api_version: str, kind: str, spec: Any = None, /, **found: Any) -> dict[str, Any]:
    metadata = {"name": "x", "namespace": "n", "uid": "u1", "resourceVersion": "7", "generation": 1}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": found}


def condition(kind: str, holds: str = "True", reason: str = "") -> dict[str, str]:
    return {"type": kind, "status": holds, "reason": reason}


@pytest.mark.parametrize(
    ("named", "wanted"),
    [
        ({"group": "", "kind": "Service"}, Kind("", "Service")),
        ({"group": "v1", "kind": "Service"}, Kind("", "Service")),
        ({"kind": "Service"}, Kind("", "Service")),
        ({"group": "apps", "kind": "Deployment"}, Kind("apps", "Deployment")),
        ({"group": "apps/v1", "kind": "Deployment"}, Kind("apps", "Deployment")),
        ({"group": "vendor.io", "kind": "Thing"}, Kind("vendor.io", "Thing")),
        ({"group": "extensions", "kind": "Ingress"}, Kind("networking.k8s.io", "Ingress")),
        ({"group": "extensions/v1beta1", "kind": "Deployment"}, Kind("apps", "Deployment")),
        ({"group": "extensions", "kind": "Thing"}, Kind("extensions", "Thing")),
    ],
)
def test_kinds_are_known_however_they_are_written(named: dict[str, str], wanted: Kind) -> None:
    assert kinds(naming(named)) == [wanted]


def test_a_kind_counts_once_and_there_is_an_end_to_them() -> None:
    service = {"group": "", "kind": "Service"}
    assert kinds(naming(service, {"group": "v1", "kind": "Service"})) == [Kind("", "Service")]
    many = [{"group": "g", "kind": f"K{number}"} for number in range(100)]
    assert len(kinds(naming(*many))) == MAX_KINDS
    assert kinds(application()) == kinds(naming({"group": "apps", "kind": ""})) == []


@pytest.mark.parametrize(
    ("component", "wanted"),
    [
        (obj("v1", "Service"), READY),
        (obj("v1", "PersistentVolumeClaim", phase="Bound"), READY),
        (obj("v1", "PersistentVolumeClaim", phase="Pending"), IN_PROGRESS),
        (obj("v1", "PersistentVolumeClaim"), IN_PROGRESS),
        (obj("v1", "Pod", conditions=[condition("Ready")]), READY),
        (obj("v1", "Pod", conditions=[condition("Ready", "False")]), IN_PROGRESS),
        (obj("v1", "Pod"), IN_PROGRESS),
        (obj("apps/v1", "Deployment", observedGeneration=1), READY),
        (obj("apps/v1", "Deployment"), IN_PROGRESS),
        (
            obj(
                "apps/v1",
                "Deployment",
                observedGeneration=1,
                conditions=[
                    condition("Progressing", "True", "NewReplicaSetAvailable"),
                    condition("Available"),
                ],
            ),
            READY,
        ),
        (
            obj(
                "apps/v1",
                "Deployment",
                observedGeneration=1,
                conditions=[condition("Progressing", "True", "ReplicaSetUpdated")],
            ),
            IN_PROGRESS,
        ),
        (
            obj("apps/v1", "Deployment", observedGeneration=1, conditions=[condition("Available", "False")]),
            IN_PROGRESS,
        ),
        (
            obj(
                "apps/v1",
                "StatefulSet",
                {"replicas": 2},
                observedGeneration=1,
                readyReplicas=2,
                currentReplicas=2,
            ),
            READY,
        ),
        (
            obj(
                "apps/v1",
                "StatefulSet",
                {"replicas": 2},
                observedGeneration=1,
                readyReplicas=1,
                currentReplicas=2,
            ),
            IN_PROGRESS,
        ),
        (obj("apps/v1", "StatefulSet", {}, observedGeneration=1, readyReplicas=1, currentReplicas=1), READY),
        (obj("apps/v1", "StatefulSet", {"replicas": 1}, observedGeneration=1), IN_PROGRESS),
        (obj("apps/v1", "StatefulSet", {"replicas": 0}, observedGeneration=1), READY),
        (
            obj(
                "apps/v1",
                "ReplicaSet",
                {"replicas": 1},
                observedGeneration=1,
                readyReplicas=1,
                availableReplicas=1,
            ),
            READY,
        ),
        (
            obj(
                "apps/v1",
                "ReplicaSet",
                {"replicas": 1},
                observedGeneration=1,
                readyReplicas=1,
                availableReplicas=1,
                conditions=[condition("ReplicaFailure")],
            ),
            IN_PROGRESS,
        ),
        (
            obj(
                "apps/v1",
                "DaemonSet",
                observedGeneration=1,
                desiredNumberScheduled=3,
                numberAvailable=3,
                numberReady=3,
            ),
            READY,
        ),
        (
            obj("apps/v1", "DaemonSet", observedGeneration=1, desiredNumberScheduled=3, numberReady=3),
            IN_PROGRESS,
        ),
        (obj("policy/v1", "PodDisruptionBudget", currentHealthy=2, desiredHealthy=2), READY),
        (obj("policy/v1", "PodDisruptionBudget", currentHealthy=1, desiredHealthy=2), IN_PROGRESS),
        (obj("vendor.io/v1", "Thing"), READY),
        (obj("vendor.io/v1", "Thing", conditions=[condition("Ready", "False")]), IN_PROGRESS),
        (obj("vendor.io/v1", "Thing", conditions=[condition("Ready", "Unknown")]), READY),
        (obj("vendor.io/v1", "Thing", conditions=[condition("InProgress")]), IN_PROGRESS),
        # Custom resources hold what they like.
        (obj("vendor.io/v1", "Thing", "no object", conditions={"Ready": "False"}), READY),
        (obj("vendor.io/v1", "Thing", conditions=["Ready", {"status": "False"}, None]), READY),
        ({**obj("vendor.io/v1", "Thing"), "status": "fine"}, READY),
    ],
)
def test_readiness_of_every_kind(component: dict[str, Any], wanted: str) -> None:
    """application-readiness"""
    assert state(component) == wanted


def test_a_component_at_rest_keeps_nothing_of_its_content() -> None:
    secretive = obj("v1", "Pod", {"containers": [{"env": [{"name": "PASSWORD", "value": "x"}]}]})
    secretive["metadata"]["annotations"] = {"a": "b"}
    assert set(summary(secretive)) == {"apiVersion", "kind", "metadata", "componentState"}
    assert set(summary(secretive)["metadata"]) == {"name", "namespace", "uid", "resourceVersion"}


READY_SERVICE = (SERVICES, summary(obj("v1", "Service")))
SLOW_DEPLOYMENT = (DEPLOYMENTS, summary(obj("apps/v1", "Deployment")))


def said(present: dict[str, Any], components: list[Any], problems: list[str]) -> dict[str, Any]:
    return status.patch(application(status=present), components, problems, NOW)


def test_status_lists_components_and_counts_those_that_are_ready() -> None:
    written = said({}, [READY_SERVICE, SLOW_DEPLOYMENT], [])["status"]
    assert written["componentsReady"] == "1/2"
    assert written["observedGeneration"] == 3
    assert written["components"] == [
        {"kind": "Service", "name": "x", "link": "/api/v1/namespaces/n/services/x", "status": "Ready"},
        {
            "group": "apps",
            "kind": "Deployment",
            "name": "x",
            "link": "/apis/apps/v1/namespaces/n/deployments/x",
            "status": "InProgress",
        },
    ]
    assert [(one["type"], one["status"], one["reason"]) for one in written["conditions"]] == [
        ("Ready", "False", "ComponentsNotReady"),
        ("Error", "False", "NoError"),
    ]


def test_nothing_is_written_that_the_status_says_already() -> None:
    first = said({}, [READY_SERVICE], ["broken"])["status"]
    assert said(first, [READY_SERVICE], ["broken"]) == {}
    empty = said({}, [], [])["status"]
    assert "components" not in empty
    assert said(empty, [], []) == {}


def test_conditions_say_since_when_and_those_of_others_stay() -> None:
    present = {
        "conditions": [
            {"type": "Settled", "status": "True", "reason": "R", "message": "m"},
            {**condition("Ready"), "lastTransitionTime": BEFORE},
            {**condition("Error", "True", "ErrorSeen"), "message": "old", "lastTransitionTime": BEFORE},
        ]
    }
    settled, ready, error = said(present, [SLOW_DEPLOYMENT], ["new"])["status"]["conditions"]
    assert settled == present["conditions"][0]
    assert (ready["status"], ready["lastTransitionTime"], ready["lastUpdateTime"]) == ("False", NOW, NOW)
    assert (error["message"], error["lastTransitionTime"], error["lastUpdateTime"]) == ("new", BEFORE, NOW)


def test_a_status_stays_within_what_an_object_may_hold() -> None:
    many = [READY_SERVICE] * 5000
    written = said({}, many, ["x" * 10_000, "y"])["status"]
    assert len(written["components"]) == status.MAX_LISTED
    assert written["componentsReady"] == "5000/5000"
    assert len(written["conditions"][1]["message"]) == status.MAX_MESSAGE


def test_an_application_becomes_an_owner_once_and_replaces_its_former_self() -> None:
    component = summary(obj("v1", "Service"))
    patch = owners.patch(application(), component)
    assert patch["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "app.k8s.io/v1beta1",
            "kind": "Application",
            "name": "shop",
            "uid": "a1",
            "controller": False,
            "blockOwnerDeletion": True,
        }
    ]
    mine = patch["metadata"]["ownerReferences"][0]
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "d1", "controller": True}
    component["metadata"]["ownerReferences"] = [other, {**mine, "uid": "gone"}]
    assert owners.patch(application(), component)["metadata"]["ownerReferences"] == [other, mine]
    component["metadata"]["ownerReferences"] = [mine, other]
    assert owners.patch(application(), component) == {}


def test_a_custom_resource_is_read_in_a_version_that_is_served() -> None:
    versions = [
        {"name": "v1alpha1", "served": True, "storage": False},
        {"name": "v1", "served": True, "storage": True},
        {"name": "v2", "served": False, "storage": False},
    ]
    crd = {
        "metadata": {"name": "things.vendor.io", "uid": "u", "resourceVersion": "1"},
        "spec": {
            "group": "vendor.io",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": versions,
        },
    }
    assert definition(crd)["version"] == "v1"
    assert definition(crd)["established"] is False
    established = {**crd, "status": {"conditions": [condition("Established")]}}
    assert definition(established)["established"] is True
