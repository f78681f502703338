"""Everything that is shipped to run in a cluster says what a cluster needs to know of it.

The rules are those of the restricted Pod Security Standard
(https://kubernetes.io/docs/concepts/security/pod-security-standards/); what cannot keep to one says why here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ks_installer.catalogue import Catalogue
from ks_installer.settings import parsed
from kubekit.resource import Object

EVERYTHING = """
common: {mysqlEnabled: true, minioEnabled: true}
metrics_server: {enabled: true}
etcd: {monitoring: true, endpointIps: 192.0.2.1}
"""
INSTALLER = Path(__file__).parents[3] / "installer" / "deploy" / "ks-installer.yaml"
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
CHOWNS = "gives the top of its volume to the user that it runs as, which root alone may do"
STARTS_AS_ROOT = "the image of OpenLDAP prepares its volume as root and lowers its rights by itself"
OF_THE_NODE = "looks at the node itself"
LOOSE: dict[tuple[str, str], str] = {
    ("redis", "runAsNonRoot"): CHOWNS,
    ("redis", "add"): CHOWNS,
    ("mysql", "runAsNonRoot"): CHOWNS,
    ("mysql", "add"): CHOWNS,
    ("minio", "runAsNonRoot"): CHOWNS,
    ("minio", "add"): CHOWNS,
    ("prometheus-k8s", "runAsNonRoot"): CHOWNS,
    ("prometheus-k8s", "add"): CHOWNS,
    ("prometheus-k8s-system", "runAsNonRoot"): CHOWNS,
    ("prometheus-k8s-system", "add"): CHOWNS,
    ("openldap", "runAsNonRoot"): STARTS_AS_ROOT,
    ("openldap", "drop"): STARTS_AS_ROOT,
    ("openldap", "seccompProfile"): STARTS_AS_ROOT,
    ("openldap", "readOnlyRootFilesystem"): STARTS_AS_ROOT,
    ("node-exporter", "hostNamespaces"): OF_THE_NODE,
    ("node-exporter", "hostPath"): OF_THE_NODE,
}
"""What may stray from a rule, and why."""
SECRETS_OF = {
    "jwt-secret": {"ks-account", "ks-apigateway", "ks-apiserver"},
    "redis-password": {"ks-account", "ks-apigateway", "redis"},
    "ldap-manager-password": {"ks-account", "openldap"},
    "admin-password": {"ks-account"},
    "console-csrf-secret": {"ks-console"},
    "kubesphere-password": {"ks-account", "mysql"},
    "password.txt": {"mysql"},
    "access-key": {"minio"},
    "secret-key": {"minio"},
}
"""Who is given which key of the drawn Secrets; nobody else is given any."""


def shipped() -> list[Object]:
    """The installer and all workloads of all components, with everything turned on that it installs."""
    components = Catalogue.installed().select("platform", parsed(EVERYTHING, "this test"))
    installed = [obj for one in components for obj in one.manifests if obj["kind"] in WORKLOADS]
    return [*installed, yaml.safe_load(INSTALLER.read_text())]


def pod_of(workload: Object) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


def name_of(workload: Object) -> str:
    return workload["metadata"]["name"]


def containers(workload: Object) -> list[dict[str, Any]]:
    pod = pod_of(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def strays(workload: Object) -> Iterator[str]:
    """The rules of the restricted standard that a workload does not keep to, and of a root file system."""
    pod = pod_of(workload)
    shared = pod.get("securityContext", {})
    if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield "hostNamespaces"
    if any("hostPath" in volume for volume in pod.get("volumes", [])):
        yield "hostPath"
    for container in containers(workload):
        own = container.get("securityContext", {})
        capabilities = own.get("capabilities", {})
        if not own.get("runAsNonRoot", shared.get("runAsNonRoot")):
            yield "runAsNonRoot"
        if own.get("seccompProfile", shared.get("seccompProfile")) != {"type": "RuntimeDefault"}:
            yield "seccompProfile"
        if own.get("allowPrivilegeEscalation") is not False:
            yield "allowPrivilegeEscalation"
        if capabilities.get("drop") != ["ALL"]:
            yield "drop"
        if capabilities.get("add"):
            yield "add"
        if not own.get("readOnlyRootFilesystem"):
            yield "readOnlyRootFilesystem"


ALL = shipped()
SERVED = ("ks-account", "ks-apigateway", "ks-apiserver", "ks-console")
each_workload = pytest.mark.parametrize("workload", ALL, ids=name_of)


def test_all_that_v2_1_1_runs_in_a_minimal_installation_is_looked_at() -> None:
    names = {name_of(workload) for workload in ALL}
    assert names >= {"ks-apigateway", "redis", "openldap", "mysql", "minio", "default-http-backend"}
    assert names >= {"prometheus-k8s", "node-exporter", "kube-state-metrics", "metrics-server"}


@each_workload
def test_it_says_when_it_is_ready_and_when_it_hangs(workload: Object) -> None:
    for container in pod_of(workload)["containers"]:
        for probe in ("readinessProbe", "livenessProbe"):
            assert probe in container, f"{container['name']} has no {probe}"


@each_workload
def test_it_says_what_it_needs_and_never_takes_more_memory(workload: Object) -> None:
    for container in containers(workload):
        resources = container.get("resources", {})
        assert {"cpu", "memory"} <= resources.get("requests", {}).keys(), container["name"]
        assert "memory" in resources.get("limits", {}), container["name"]


@each_workload
def test_it_keeps_to_the_restricted_standard(workload: Object) -> None:
    name = name_of(workload)
    assert {rule for rule in strays(workload) if (name, rule) not in LOOSE} == set()


def test_no_exception_outlives_its_reason() -> None:
    assert {(name_of(one), rule) for one in ALL for rule in strays(one)} >= LOOSE.keys()


@each_workload
def test_it_has_an_account_only_where_it_speaks_to_the_cluster(workload: Object) -> None:
    pod = pod_of(workload)
    has_one = pod.get("serviceAccountName", "default") != "default"
    assert has_one or pod.get("automountServiceAccountToken") is False


@pytest.mark.parametrize("name", [*SERVED, "default-http-backend"])
def test_it_leaves_its_service_before_it_stops(name: str) -> None:
    (workload,) = (one for one in ALL if name_of(one) == name)
    pod = pod_of(workload)
    (container,) = pod["containers"]
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < waits < pod["terminationGracePeriodSeconds"]


def test_each_secret_is_given_to_those_who_need_it_alone() -> None:
    given: dict[str, set[str]] = {}
    for workload in ALL:
        pod = pod_of(workload)
        keys = [
            entry["valueFrom"]["secretKeyRef"]["key"]
            for container in containers(workload)
            for entry in container.get("env", [])
            if "secretKeyRef" in entry.get("valueFrom", {})
        ]
        for volume in pod.get("volumes", []):
            if "secret" in volume:
                keys += [item["key"] for item in volume["secret"].get("items", [])]
        for key in keys:
            given.setdefault(key, set()).add(name_of(workload))
    assert {key: given.get(key) for key in SECRETS_OF} == SECRETS_OF


def test_ks_account_uses_mysql_where_there_is_one() -> None:
    def variables(text: str) -> set[str]:
        components = Catalogue.installed().select("platform", parsed(text, "this test"))
        account = next(
            obj
            for one in components
            for obj in one.manifests
            if (obj["kind"], obj["metadata"]["name"]) == ("Deployment", "ks-account")
        )
        return {entry["name"] for entry in pod_of(account)["containers"][0]["env"]}

    assert "KS_MYSQL_HOST" not in variables("{}")
    assert {"KS_MYSQL_HOST", "KS_MYSQL_PASSWORD_FILE"} <= variables("common: {mysqlEnabled: true}")
