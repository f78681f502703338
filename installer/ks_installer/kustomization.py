"""The part of kustomize that the platform's own manifests use, so that the installer needs no kubectl.

Read are `resources` (files and folders), `namespace`, `images` (newName, newTag, digest) and
`configMapGenerator` (files, without a hash in the name).  Any other key is an error, as leaving it out would
give other objects than `kubectl kustomize` does; the format is
https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ks_installer.documents import objects_in, single_document
from ks_installer.errors import UsageError
from ks_installer.podspecs import with_images
from kubekit.resource import Object

_CLUSTER_WIDE = {
    "Namespace",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "Workspace",
    "PriorityClass",
    "StorageClass",
    "APIService",
}
_READ = {
    "apiVersion",
    "kind",
    "resources",
    "namespace",
    "images",
    "configMapGenerator",
    "generatorOptions",
}


def built(folder: Path) -> list[Object]:
    """The objects of a kustomization.  Raises UsageError, naming the file, on what is not understood."""
    path = folder / "kustomization.yaml"
    described = single_document(path)
    if unknown := set(described) - _READ:
        raise UsageError(f"{path}: {', '.join(sorted(unknown))} is not understood by the installer")
    found: list[Object] = []
    for name in described.get("resources", []):
        target = folder / name
        found += built(target) if target.is_dir() else objects_in(target)
    found += [_config_map(path, generator) for generator in described.get("configMapGenerator", [])]
    if namespace := described.get("namespace"):
        found = [_in_namespace(obj, namespace) for obj in found]
    return [with_images(obj, _renaming(described.get("images", []))) for obj in found]


def _config_map(path: Path, generator: Mapping[str, Any]) -> Object:
    if unknown := set(generator) - {"name", "namespace", "files"}:
        raise UsageError(f"{path}: configMapGenerator: {', '.join(sorted(unknown))} is not understood")
    metadata = {key: generator[key] for key in ("name", "namespace") if key in generator}
    data: dict[str, str] = {}
    for entry in generator["files"]:
        key, _, name = entry.rpartition("=")
        file = path.parent / name
        data[key or file.name] = file.read_text(encoding="utf-8")
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _in_namespace(obj: Object, namespace: str) -> Object:
    if obj["kind"] in _CLUSTER_WIDE:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def _renaming(images: list[Mapping[str, str]]) -> Callable[[str], str]:
    by_name = {image["name"]: image for image in images}

    def renamed(reference: str) -> str:
        name, tag = _split(reference)
        image = by_name.get(name)
        if image is None:
            return reference
        if "digest" in image:
            return f"{image.get('newName', name)}@{image['digest']}"
        if "newTag" in image:
            tag = f":{image['newTag']}"
        return f"{image.get('newName', name)}{tag}"

    return renamed


def _split(reference: str) -> tuple[str, str]:
    """Name and tag (with its colon, or empty); a colon before a slash is a registry's port."""
    if "@" in reference:
        name, _, digest = reference.partition("@")
        return name, f"@{digest}"
    head, _, last = reference.rpartition("/")
    name, colon, tag = last.partition(":")
    return (f"{head}/{name}" if head else name), f"{colon}{tag}"
