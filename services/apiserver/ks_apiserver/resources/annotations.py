"""Annotations that only answers carry: whether a claim is in use, how many claims a class has."""

from collections.abc import Sequence

import orjson

from ks_apiserver.resources.kinds import CLAIM, COUNTED_CLASS
from kubekit.cache import Cache
from kubekit.resource import Object

IN_USE = "kubesphere.io/in-use"
CLAIM_COUNT = "kubesphere.io/pvc-count"


def with_use(claims: Sequence[bytes], pods: Cache) -> list[bytes]:
    """The claims, each saying whether a pod of its namespace mounts it. `pods` has the index CLAIM."""
    return [_annotated(claim, IN_USE, str(_is_used(claim, pods)).lower()) for claim in _decoded(claims)]


def with_claim_count(classes: Sequence[bytes], claims: Cache) -> list[bytes]:
    """The storage classes, each saying how many claims want it. `claims` has the index COUNTED_CLASS."""
    return [
        _annotated(each, CLAIM_COUNT, str(len(claims.keys_by(COUNTED_CLASS, each["metadata"]["name"]))))
        for each in _decoded(classes)
    ]


def _is_used(claim: Object, pods: Cache) -> bool:
    metadata = claim["metadata"]
    return any(pod.namespace == metadata["namespace"] for pod in pods.keys_by(CLAIM, metadata["name"]))


def _decoded(raw: Sequence[bytes]) -> list[Object]:
    return [orjson.loads(each) for each in raw]


def _annotated(item: Object, annotation: str, value: str) -> bytes:
    metadata = item["metadata"]
    metadata["annotations"] = {**(metadata.get("annotations") or {}), annotation: value}
    return orjson.dumps(item)
