"""The versions that are pinned: one table, the newest first."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass

from localkube.errors import LocalkubeError, UnknownVersion


@dataclass(frozen=True, slots=True)
class KubeVersion:
    """A Kubernetes release with the versions of what runs beside it."""

    kubernetes: str
    etcd: str
    coredns: str
    go: str

    @property
    def minor(self) -> str:
        """`1.37` of `1.37.2`."""
        return self.kubernetes.rpartition(".")[0]

    @property
    def staging(self) -> str:
        """The version of the staging modules: `0.37.2` of `1.37.2`."""
        return "0." + self.kubernetes.partition(".")[2]


# etcd is the version that go.mod of the Kubernetes release requires; go the oldest that builds all three.
PINNED = (
    KubeVersion(kubernetes="1.37.2", etcd="3.7.0", coredns="1.15.0", go="1.26"),
    KubeVersion(kubernetes="1.34.4", etcd="3.6.4", coredns="1.15.0", go="1.26"),
)
NEWEST = PINNED[0]
VERSION_VARIABLE = "KUBE_VERSION"

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def find_version(wanted: str | None = None, environment: Mapping[str, str] = os.environ) -> KubeVersion:
    """Give the pinned version for `wanted`: `1.37.2`, `v1.37.2` or `1.37`; None: KUBE_VERSION or the newest.

    Raises UnknownVersion when nothing pinned fits.
    """
    wanted = wanted or environment.get(VERSION_VARIABLE) or NEWEST.kubernetes
    plain = wanted.removeprefix("v")
    for version in PINNED:
        if plain in (version.kubernetes, version.minor):
            return version
    known = ", ".join(version.kubernetes for version in PINNED)
    raise UnknownVersion(f"Kubernetes {wanted} is not one of the pinned versions: {known}")


def architecture() -> str:
    """The machine's architecture as Go names it."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise LocalkubeError(
            f"localkube runs on {', '.join(sorted(set(_ARCHITECTURES.values())))}; this is {machine}"
        )
    return _ARCHITECTURES[machine]
