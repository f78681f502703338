"""What is inside the pods of an object: the images that it needs, and the configuration that it reads."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from kubekit.resource import Object

CONFIG_HASH = "installer.kubesphere.io/config"
"""On pods: a digest of the ConfigMaps that they read, so that a change of those starts new pods."""

_DOCKER_HUB = "docker.io"


def template_of(obj: Mapping[str, Any]) -> dict[str, Any] | None:
    """The pod template of a workload (a CronJob's too); None where `obj` has no pods."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return None
    if obj["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    template = spec.get("template") if obj["kind"] in _WORKLOADS else None
    return template if isinstance(template, dict) else None


def images_of(objects: Iterable[Object]) -> list[str]:
    """Every image that the pods of `objects` run, sorted, each once."""
    templates = (template for obj in objects if (template := template_of(obj)))
    return sorted({container["image"] for template in templates for container in _containers(template)})


def with_images(obj: Object, renamed: Callable[[str], str]) -> Object:
    """A copy of `obj` whose pods run `renamed(image)`."""
    if template_of(obj) is None:
        return obj
    result = copy.deepcopy(obj)
    for container in _containers(template_of(result) or {}):
        container["image"] = renamed(container["image"])
    return result


def mirrored(registry: str) -> Callable[[str], str]:
    """Where a private registry has an image: below its own name, as v2.1.1 lays a mirror out.

    `redis:7` is at `REGISTRY/library/redis:7`, `quay.io/a/b:1` at `REGISTRY/a/b:1`.
    """

    def renamed(image: str) -> str:
        if not registry or image.startswith(f"{registry}/"):
            return image
        host, path = _split_host(image)
        if host == _DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        return f"{registry}/{path}"

    return renamed


def with_config_hash(objects: list[Object], config_maps: Iterable[Object]) -> list[Object]:
    """`objects`, whose pods are told by an annotation what the ConfigMaps say that they read."""
    data = {
        (obj["metadata"].get("namespace"), obj["metadata"]["name"]): obj.get("data", {})
        for obj in config_maps
        if obj["kind"] == "ConfigMap"
    }
    return [_hashed(obj, data) for obj in objects]


def _hashed(obj: Object, data: Mapping[tuple[str | None, str], Any]) -> Object:
    template = template_of(obj)
    if template is None:
        return obj
    namespace = obj["metadata"].get("namespace")
    read = {name: data[namespace, name] for name in _mounted(template) if (namespace, name) in data}
    if not read:
        return obj
    digest = hashlib.sha256(orjson.dumps(read, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    result = copy.deepcopy(obj)
    metadata = (template_of(result) or {}).setdefault("metadata", {})
    metadata.setdefault("annotations", {})[CONFIG_HASH] = digest
    return result


def _mounted(template: Mapping[str, Any]) -> set[str]:
    volumes = template["spec"].get("volumes") or []
    names: set[str] = set()
    for volume in volumes:
        for source in (volume, *(volume.get("projected", {}).get("sources") or [])):
            if "configMap" in source:
                names.add(source["configMap"]["name"])
    return names


def _containers(template: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    spec = template["spec"]
    yield from spec.get("initContainers") or []
    yield from spec.get("containers") or []


def _split_host(image: str) -> tuple[str, str]:
    """The registry and the rest of a reference.

    The first part is a registry where it has a dot or a port, as in
    https://github.com/distribution/reference.
    """
    first, slash, rest = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return _DOCKER_HUB, image


_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet", "CronJob"}
