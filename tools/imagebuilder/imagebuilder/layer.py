"""Layers: tar files whose bytes depend on nothing but what is in them.

Names are sorted, owners are root, times are one time, and modes say who may execute and no more.
"""

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TIME = 315532800
"""When every file was last changed, in seconds since 1970: 1980, the earliest that a zip file can say."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that is on disk, uncompressed. `digest` is its SHA-256: the DiffID of the OCI image-spec."""

    path: Path
    digest: str
    size: int


def write_layer(trees: Mapping[str, Path], target: Path, *, world_writable: Iterable[str] = ()) -> Layer:
    """Writes the folders `trees`, by their path in the image, to `target`.

    Of the folders named `world_writable` everybody may write to, as to /tmp.
    """
    members = {member.name: (member, source) for member, source in _members(trees)}
    for folder in world_writable:
        members[folder] = (_folder(folder, 0o1777), None)
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as tar:
        for _, (member, source) in sorted(members.items()):
            if source is None:
                tar.addfile(member)
            else:
                with source.open("rb") as content:
                    tar.addfile(member, content)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Layer(target, digest, target.stat().st_size)


def _members(trees: Mapping[str, Path]) -> Iterable[tuple[tarfile.TarInfo, Path | None]]:
    for prefix, root in trees.items():
        base = prefix.strip("/")
        yield from ((_folder(str(folder)), None) for folder in _ancestors(base))
        for directory, folders, files in os.walk(root):
            inside = Path(base, os.path.relpath(directory, root))
            for name in folders + files:
                source = Path(directory, name)
                member = _member(str(inside / name), source)
                yield member, source if member.isreg() else None


def _ancestors(path: str) -> list[Path]:
    return [Path(path), *Path(path).parents][:-1] if path else []


def _member(name: str, source: Path) -> tarfile.TarInfo:
    status = source.lstat()
    if stat.S_ISDIR(status.st_mode):
        return _folder(name)
    member = tarfile.TarInfo(name)
    member.mtime = TIME
    if stat.S_ISLNK(status.st_mode):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, os.readlink(source), 0o777
    else:
        member.size, member.mode = status.st_size, 0o755 if status.st_mode & 0o111 else 0o644
    return member


def _folder(name: str, mode: int = 0o755) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.mtime = tarfile.DIRTYPE, mode, TIME
    return member
