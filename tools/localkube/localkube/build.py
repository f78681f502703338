"""Builds the programs from their Go modules."""

from pathlib import Path

from localkube.errors import Unavailable
from localkube.progress import Progress
from localkube.versions import KubeVersion


def hyperkube(version: KubeVersion, cache: Path, progress: Progress) -> Path:
    raise Unavailable("build: to come")


def coredns(version: KubeVersion, cache: Path, progress: Progress) -> Path:
    raise Unavailable("build: to come")
