"""Image archives in the form of `docker save`, which `docker load` and `ctr images import` read."""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imagebuilder.layer import TIME, Layer

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # as images name them


@dataclass(frozen=True, slots=True)
class Archive:
    """An image that is on disk. `digest` is the SHA-256 of its configuration, an engine's name for it."""

    name: str
    path: Path
    digest: str
    size: int


def write_archive(name: str, layers: Sequence[Layer], settings: dict[str, Any], target: Path) -> Archive:
    """Writes the image `name` of `layers` to `target`; `settings` are the `config` of the OCI image-spec."""
    config = _configuration(layers, settings)
    digest = digest_of(layers, settings)
    paths = [f"{layer.digest}/layer.tar" for layer in layers]
    manifest = [{"Config": f"{digest}.json", "RepoTags": [name], "Layers": paths}]
    unfinished = target.with_suffix(".part")
    with tarfile.open(unfinished, "w", format=tarfile.GNU_FORMAT) as tar:
        _add(tar, f"{digest}.json", config)
        _add(tar, "manifest.json", json.dumps(manifest).encode())
        for path, layer in zip(paths, layers, strict=True):
            member = _member(path, layer.size)
            with layer.path.open("rb") as content:
                tar.addfile(member, content)
    unfinished.replace(target)
    return Archive(name, target, digest, sum(layer.size for layer in layers))


def digest_of(layers: Sequence[Layer], settings: dict[str, Any]) -> str:
    """The SHA-256 of the configuration that the image of `layers` with `settings` has."""
    return hashlib.sha256(_configuration(layers, settings)).hexdigest()


def _configuration(layers: Sequence[Layer], settings: dict[str, Any]) -> bytes:
    created = datetime.fromtimestamp(TIME, UTC).isoformat().replace("+00:00", "Z")
    document = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": created,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        "history": [{"created": created, "created_by": "imagebuilder"} for _ in layers],
    }
    return json.dumps(document, sort_keys=True).encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_member(name, len(content)), io.BytesIO(content))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o644, TIME
    return member
