"""What a cluster must have before anything is written to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from ks_installer.catalogue import Component
from ks_installer.discovery import Discovery
from ks_installer.errors import Unsuitable
from ks_installer.objects import Ref
from ks_installer.podspecs import template_of
from ks_installer.quantities import amount
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import NODES, PODS, STORAGE_CLASSES, Object

OLDEST: tuple[int, ...] = (1, 30)
"""ValidatingAdmissionPolicy is there, by which tenancy is guarded."""
NEWEST_TESTED: tuple[int, ...] = (1, 37)
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"

OK = "ok"
WARNING = "warning"
ERROR = "error"

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_VERBS = ("get", "create", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `level` is ok, warning or error."""

    check: str
    level: str
    message: str


async def examine(cluster: Cluster, components: Sequence[Component]) -> list[Finding]:
    """What the cluster is like, for an installation of `components`.  Nothing is written."""
    objects = [obj for component in components for obj in component.manifests]
    return [
        await _version(cluster),
        await _storage(cluster, objects),
        await _room(cluster, objects),
        await _rights(cluster, objects),
    ]


def insist(findings: Iterable[Finding]) -> None:
    """Raises Unsuitable that names every error, if there is any."""
    errors = [f"{finding.check}: {finding.message}" for finding in findings if finding.level == ERROR]
    if errors:
        raise Unsuitable(
            "the cluster does not have what the installation needs:\n  "
            + "\n  ".join(errors)
            + "\n(--skip-preflight goes on all the same)"
        )


async def _version(cluster: Cluster) -> Finding:
    told = orjson.loads(await cluster.request("GET", "/version"))
    numbers = re.match(r"v(\d+)\.(\d+)", told["gitVersion"])
    version = tuple(map(int, numbers.groups())) if numbers else ()
    text = f"Kubernetes {told['gitVersion']}"
    if version < OLDEST:
        return Finding("version", ERROR, f"{text} is too old: {_dotted(OLDEST)} is needed")
    if version > NEWEST_TESTED:
        return Finding(
            "version", WARNING, f"{text} is newer than the newest tested, {_dotted(NEWEST_TESTED)}"
        )
    return Finding("version", OK, text)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


async def _storage(cluster: Cluster, objects: Iterable[Object]) -> Finding:
    wanted = {str(spec.get("storageClassName") or "") for obj in objects for spec in _claims(obj)}
    if not wanted:
        return Finding("storage class", OK, "no volumes are needed")
    classes = {obj["metadata"]["name"]: obj for obj in (await cluster.list(STORAGE_CLASSES)).items}
    defaults = [name for name, obj in classes.items() if _is_default(obj)]
    named = sorted(wanted - {""})
    there = f"there are: {', '.join(sorted(classes)) or 'none'}"
    for name in named:
        if name not in classes:
            return Finding(
                "storage class", ERROR, f"persistence.storageClass: {name!r} is not there; {there}"
            )
    if "" in wanted and not defaults:
        return Finding(
            "storage class",
            ERROR,
            f"the cluster has no default storage class and persistence.storageClass names none; {there}",
        )
    return Finding("storage class", OK, ", ".join(named) or f"{defaults[0]} (default)")


def _claims(obj: Object) -> list[dict[str, Any]]:
    if obj["kind"] == "PersistentVolumeClaim":
        return [obj["spec"]]
    if obj["kind"] == "StatefulSet":
        return [claim["spec"] for claim in obj["spec"].get("volumeClaimTemplates") or []]
    return []


def _is_default(storage_class: Object) -> bool:
    return (storage_class["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"


async def _room(cluster: Cluster, objects: Sequence[Object]) -> Finding:
    """Whether the nodes have what the pods request that are not there yet."""
    cpu, memory = await _requested_anew(cluster, objects)
    if not cpu and not memory:
        return Finding("resources", OK, "no new pods that request any")
    nodes = [node for node in (await cluster.list(NODES)).items if _takes_pods(node)]
    if not nodes:
        return Finding("resources", ERROR, "no node is ready and takes pods")
    pods = (await cluster.list(PODS)).items
    used = [_requests(pod["spec"]) for pod in pods if pod["status"].get("phase") in ("Running", "Pending")]
    allocatable = [node["status"]["allocatable"] for node in nodes]
    free_cpu = _total(amount(one["cpu"]) for one in allocatable) - _total(one[0] for one in used)
    free_memory = _total(amount(one["memory"]) for one in allocatable) - _total(one[1] for one in used)
    text = (
        f"{_cores(cpu)} cores and {_mebibytes(memory)} MiB are requested, "
        f"{_cores(free_cpu)} and {_mebibytes(free_memory)} are free"
    )
    short = cpu > free_cpu or memory > free_memory
    return Finding("resources", ERROR if short else OK, text)


async def _requested_anew(cluster: Cluster, objects: Sequence[Object]) -> tuple[Decimal, Decimal]:
    discovery, cpu, memory = Discovery(cluster), Decimal(0), Decimal(0)
    for obj in objects:
        template = template_of(obj)
        if template is None or await _exists(cluster, discovery, obj):
            continue
        one = _requests(template["spec"])
        replicas = obj["spec"].get("replicas", 1)
        cpu, memory = cpu + replicas * one[0], memory + replicas * one[1]
    return cpu, memory


async def _exists(cluster: Cluster, discovery: Discovery, obj: Object) -> bool:
    ref, resource = Ref.of(obj), await discovery.resource_of(obj)
    try:
        return resource is not None and bool(await cluster.get(resource, ref.name, ref.namespace or None))
    except NotFound:
        return False


def _requests(spec: dict[str, Any]) -> tuple[Decimal, Decimal]:
    requests = [container.get("resources", {}).get("requests") or {} for container in spec["containers"]]
    return (
        _total(amount(one.get("cpu", "0")) for one in requests),
        _total(amount(one.get("memory", "0")) for one in requests),
    )


def _total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))


def _takes_pods(node: Object) -> bool:
    conditions = {one["type"]: one["status"] for one in node["status"].get("conditions") or []}
    return conditions.get("Ready") == "True" and not node["spec"].get("unschedulable")


def _cores(value: Decimal) -> str:
    return f"{value:.2f}"


def _mebibytes(value: Decimal) -> str:
    return f"{value / 2**20:.0f}"


async def _rights(cluster: Cluster, objects: Sequence[Object]) -> Finding:
    if await _may(cluster, {"verb": "*", "group": "*", "resource": "*"}):
        return Finding("rights", OK, "everything is allowed")
    asked = [
        {"verb": verb, "group": group, "resource": plural, "namespace": namespace}
        for group, plural, namespace in await _places(cluster, objects)
        for verb in _VERBS
    ]
    allowed = await asyncio.gather(*(_may(cluster, attributes) for attributes in asked))
    missing = [attributes for attributes, may in zip(asked, allowed, strict=True) if not may]
    if not missing:
        return Finding("rights", OK, "all that is needed is allowed")
    return Finding("rights", ERROR, "not allowed: " + "; ".join(map(_sentence, missing[:5])))


async def _places(cluster: Cluster, objects: Sequence[Object]) -> list[tuple[str, str, str]]:
    """Group, resource and namespace of every object, but of kinds that the cluster does not know yet."""
    discovery = Discovery(cluster)
    found: set[tuple[str, str, str]] = set()
    for obj in objects:
        resource = await discovery.resource_of(obj)
        if resource is not None:
            found.add((resource.group, resource.plural, obj["metadata"].get("namespace", "")))
    return sorted(found)


async def _may(cluster: Cluster, attributes: dict[str, str]) -> bool:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = orjson.loads(await cluster.request("POST", _REVIEWS, body=body))
    return bool(answer["status"]["allowed"])


def _sentence(attributes: dict[str, str]) -> str:
    where = f" in {attributes['namespace']}" if attributes["namespace"] else ""
    group = f".{attributes['group']}" if attributes["group"] else ""
    return f"{attributes['verb']} {attributes['resource']}{group}{where}"
