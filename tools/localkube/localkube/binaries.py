"""Finds the programs: in assets, on PATH, in the cache, among release files, or by a build."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from localkube import assets, build, releases
from localkube.errors import BinariesMissing, Unavailable
from localkube.layout import cache_directory
from localkube.progress import Progress
from localkube.toolset import PROGRAMS, Toolset
from localkube.versions import KubeVersion

HYPERKUBE = "hyperkube"
COREDNS = "coredns"

T = TypeVar("T")


@dataclass(slots=True)
class Finder:
    """Finds the programs of `version`; `assets` overrides the folder that $LOCALKUBE_ASSETS names."""

    version: KubeVersion
    assets: Path | None = None
    progress: Progress = field(default_factory=Progress)
    cache: Path = field(default_factory=cache_directory)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def kubernetes(self) -> Toolset:
        """All programs of Kubernetes, etcd and kubectl; raises BinariesMissing with every source's reason."""
        version = self.version.kubernetes
        return _first(
            f"Kubernetes {version}",
            lambda: Toolset.of_hyperkube(self._asset(HYPERKUBE, version), "assets"),
            self._toolset_on_path,
            lambda: Toolset.of_hyperkube(self._cached(HYPERKUBE, version), "cache"),
            lambda: releases.kubernetes(self.version, self.cache, self.environment, self.progress),
            lambda: Toolset.of_hyperkube(build.hyperkube(self.version, self.cache, self.progress), "build"),
        )

    def coredns(self) -> Path:
        """The CoreDNS executable; raises BinariesMissing with every source's reason."""
        version = self.version.coredns
        return _first(
            f"CoreDNS {version}",
            lambda: self._asset(COREDNS, version),
            lambda: _on_path(COREDNS, "-version", f"CoreDNS-{re.escape(version)}$"),
            lambda: self._cached(COREDNS, version),
            lambda: releases.coredns(self.version, self.cache, self.environment, self.progress),
            lambda: build.coredns(self.version, self.cache, self.progress),
        )

    def _asset(self, program: str, version: str) -> Path:
        directory = self.assets or self.environment.get(assets.ASSETS_VARIABLE)
        if not directory:
            raise Unavailable(f"assets: neither --assets nor {assets.ASSETS_VARIABLE} names a folder")
        packed = assets.asset(Path(directory), program, version)
        if packed is None:
            raise Unavailable(f"assets: {directory} has no {assets.release_name(program, version)}.xz")
        return assets.unpack(packed, program, self.cache, self.progress)

    def _cached(self, program: str, version: str) -> Path:
        found = assets.cached(program, version, self.cache)
        if found is None:
            raise Unavailable(f"cache: {self.cache} has no {assets.release_name(program, version)}")
        return found

    def _toolset_on_path(self) -> Toolset:
        kubernetes = rf"v{re.escape(self.version.kubernetes)}\b"
        # A patch release of etcd reads the same data and speaks the same protocol.
        etcd = rf"Version: {re.escape(self.version.etcd.rpartition('.')[0])}\."
        paths = {
            name: _on_path(name, "--version", etcd if name == "etcd" else kubernetes)
            for name in PROGRAMS
            if name != "kubectl"
        }
        return Toolset({**paths, "kubectl": _on_path("kubectl", "version", kubernetes, "--client")}, "PATH")


def _first(what: str, *sources: Callable[[], T]) -> T:
    reasons: list[str] = []
    for source in sources:
        try:
            return source()
        except Unavailable as why:
            reasons.append(str(why))
    listing = "".join(f"\n  - {reason}" for reason in reasons)
    raise BinariesMissing(f"the programs of {what} are nowhere to be had:{listing}")


def _on_path(program: str, flag: str, wanted: str, *more: str) -> Path:
    found = shutil.which(program)
    if found is None:
        raise Unavailable(f"PATH: no {program}")
    try:
        answer = subprocess.run(
            [found, flag, *more], capture_output=True, text=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as broken:
        raise Unavailable(f"PATH: {found} does not run: {broken}") from broken
    if not re.search(wanted, answer, re.MULTILINE):
        first = answer.partition("\n")[0] or "nothing"
        raise Unavailable(f"PATH: {found} is of another version: it says {first}")
    return Path(found)
