"""Image archives written by hand, in the form of `docker save`: one layer, one configuration, one name."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localkube.versions import architecture


@dataclass(frozen=True, slots=True)
class Image:
    """What goes into an image: `files` from this machine, `links` and `texts` by their path inside.

    `entrypoint` always runs, with a container's arguments behind it; they take the place of `command`.
    """

    name: str
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    folders: Sequence[str] = ()


def write_archive(image: Image, target: Path) -> None:
    """Write `image` to `target`; the same contents give the same bytes."""
    layer = target.with_suffix(".layer")
    _write_layer(image, layer)
    try:
        with layer.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        config = _configuration(image, digest)
        config_name = f"{hashlib.sha256(config).hexdigest()}.json"
        manifest = [{"Config": config_name, "RepoTags": [image.name], "Layers": [f"{digest}/layer.tar"]}]
        with tarfile.open(target, "w") as tar:
            _add_bytes(tar, config_name, config)
            _add_bytes(tar, "manifest.json", json.dumps(manifest).encode())
            _add_file(tar, f"{digest}/layer.tar", layer)
    finally:
        layer.unlink()


def _write_layer(image: Image, path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        for folder in image.folders:
            _add(tar, folder, type=tarfile.DIRTYPE, mode=0o1777 if folder == "tmp" else 0o755)
        for name, source in image.files.items():
            _add_file(tar, name, source)
        for name, target in image.links.items():
            _add(tar, name, type=tarfile.SYMTYPE, linkname=target)
        for name, text in image.texts.items():
            _add_bytes(tar, name, text.encode())


def _configuration(image: Image, layer_digest: str) -> bytes:
    document = {
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Cmd": list(image.command),
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
    }
    return json.dumps(document).encode()


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    _add(tar, name, io.BytesIO(content), size=len(content), mode=0o644)


def _add_file(tar: tarfile.TarFile, name: str, source: Path) -> None:
    with source.open("rb") as content:
        _add(tar, name, content, size=source.stat().st_size, mode=0o755)


def _add(tar: tarfile.TarFile, name: str, content: io.IOBase | None = None, **fields: object) -> None:
    member = tarfile.TarInfo(name)
    for field_name, value in fields.items():
        setattr(member, field_name, value)
    tar.addfile(member, content)
