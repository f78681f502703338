"""Secrets that an installation makes up for itself, once: nobody ships a password that everybody has.

A component declares names and lengths; the values are drawn when the Secret is first applied, and stay. What
somebody put there before (a password of their own) stays too.
"""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Mapping

from ks_installer.objects import KEEP
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import SECRETS, Object

GENERATE = "installer.kubesphere.io/generate"
"""On a Secret: which keys are drawn, with the number of their characters, as `key=length,...`."""

_ALPHABET = string.ascii_letters + string.digits


def declared(namespace: str, name: str, lengths: Mapping[str, int]) -> Object:
    """The Secret, still without values."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {
                GENERATE: ",".join(f"{key}={length}" for key, length in lengths.items()),
                KEEP: "data",
            },
        },
    }


async def completed(cluster: Cluster, obj: Object) -> Object:
    """`obj` with the values that it has in the cluster, and drawn ones for the rest.

    Any object but a declared Secret is given back as it is.
    """
    wanted = (obj["metadata"].get("annotations") or {}).get(GENERATE)
    if obj["kind"] != "Secret" or not wanted:
        return obj
    try:
        live = await cluster.get(SECRETS, obj["metadata"]["name"], obj["metadata"]["namespace"])
    except NotFound:
        live = {}
    present = live.get("data") or {}
    lengths = {key: int(length) for key, _, length in (part.partition("=") for part in wanted.split(","))}
    return {**obj, "data": {key: present.get(key) or _drawn(length) for key, length in lengths.items()}}


def _drawn(length: int) -> str:
    value = "".join(secrets.choice(_ALPHABET) for _ in range(length))
    return base64.b64encode(value.encode()).decode()
