"""Prebuilt programs in a folder: `NAME-vVERSION-linux-ARCH.xz`, listed with their digests in SHA256SUMS."""

import hashlib
import lzma
import os
import re
import shutil
from pathlib import Path

from localkube.errors import ChecksumMismatch, LocalkubeError
from localkube.lock import exclusive
from localkube.progress import Progress
from localkube.versions import architecture

ASSETS_VARIABLE = "LOCALKUBE_ASSETS"
CHECKSUMS = "SHA256SUMS"
_CHUNK = 1 << 20


def release_name(program: str, version: str) -> str:
    """The name under which `program` of `version` is kept, packed (plus `.xz`) or unpacked."""
    return f"{program}-v{version}-linux-{architecture()}"


def asset(directory: Path, program: str, version: str) -> Path | None:
    """The packed `program` in `directory`, None if it has none for this version and machine."""
    path = directory / f"{release_name(program, version)}.xz"
    return path if path.is_file() else None


def unpack(packed: Path, program: str, cache: Path, progress: Progress) -> Path:
    """Give the executable in `packed`, unpacked once into `cache` and known there by its digest.

    Raises ChecksumMismatch when SHA256SUMS beside it does not list `packed`, or lists another digest.
    """
    wanted = _listed_digest(packed)
    folder = cache / packed.name.removesuffix(".xz")
    executable, digest = folder / program, folder / "digest"
    if _is_from(digest, wanted) and executable.exists():
        return executable
    with exclusive(cache / f"{folder.name}.lock"), progress.step(f"unpacking {packed.name}"):
        if _is_from(digest, wanted) and executable.exists():
            return executable
        _verify(packed, wanted)
        unfinished = folder / f".{program}.new"
        folder.mkdir(parents=True, exist_ok=True)
        with lzma.open(packed) as source, unfinished.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
        unfinished.chmod(0o755)
        unfinished.replace(executable)
        digest.write_text(wanted)
    return executable


def cached(program: str, version: str, cache: Path) -> Path | None:
    """The executable of `program` that an earlier run unpacked, built or downloaded into `cache`."""
    executable = cache / release_name(program, version) / program
    return executable if os.access(executable, os.X_OK) else None


def pack(executable: Path, name: str, directory: Path) -> Path:
    """Pack `executable` as `name`.xz into `directory` and list it in SHA256SUMS there."""
    directory.mkdir(parents=True, exist_ok=True)
    packed = directory / f"{name}.xz"
    unfinished = directory / f".{name}.new"
    with executable.open("rb") as source, lzma.open(unfinished, "wb") as target:
        shutil.copyfileobj(source, target, _CHUNK)
    unfinished.replace(packed)
    sums = directory / CHECKSUMS
    kept = [line for line in _lines(sums) if not line.endswith(f" {packed.name}")]
    sums.write_text(
        "".join(f"{line}\n" for line in sorted([*kept, f"{digest_of(packed)}  {packed.name}"], key=_name))
    )
    return packed


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listed_digest(packed: Path) -> str:
    sums = packed.parent / CHECKSUMS
    for line in _lines(sums):
        found = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line.strip())
        if found and found[2] == packed.name:
            return found[1]
    raise ChecksumMismatch(f"{packed.name} is not listed in {sums}: an asset without a checksum is not run")


def _verify(packed: Path, wanted: str) -> None:
    try:
        found = digest_of(packed)
    except OSError as unreadable:
        raise LocalkubeError(f"{packed} cannot be read: {unreadable.strerror}") from unreadable
    if found != wanted:
        raise ChecksumMismatch(
            f"{packed} has the SHA-256 {found}, but {CHECKSUMS} says {wanted}: "
            "it is damaged or not the right file; replace it"
        )


def _is_from(digest: Path, wanted: str) -> bool:
    return digest.exists() and digest.read_text() == wanted


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _name(line: str) -> str:
    return line.split()[-1]
