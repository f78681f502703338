"""Official release files, where they are in reach."""

import hashlib
import tarfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from localkube.assets import digest_of
from localkube.errors import ChecksumMismatch, Unavailable
from localkube.lock import exclusive
from localkube.progress import Progress
from localkube.toolset import PROGRAMS, Toolset
from localkube.versions import KubeVersion, architecture

KUBERNETES_VARIABLE = "LOCALKUBE_RELEASE_URL"
ETCD_VARIABLE = "LOCALKUBE_ETCD_RELEASE_URL"
COREDNS_VARIABLE = "LOCALKUBE_COREDNS_RELEASE_URL"
PUBLISHED_AT = {
    KUBERNETES_VARIABLE: "https://dl.k8s.io",
    ETCD_VARIABLE: "https://github.com/etcd-io/etcd/releases/download",
    COREDNS_VARIABLE: "https://github.com/coredns/coredns/releases/download",
}
"""Where each project publishes its releases. A variable names a mirror; an empty one asks nobody."""

_ANSWER_WITHIN = 5.0
_CHUNK = 1 << 20


def kubernetes(
    version: KubeVersion, cache: Path, environment: Mapping[str, str], progress: Progress
) -> Toolset:
    """Download `BASE/vVERSION/bin/linux/ARCH/PROGRAM` for each program, and etcd's archive, each once.

    Raises Unavailable when the base is empty or a file is out of reach, ChecksumMismatch when a file is not
    what its checksum says.
    """
    base, etcd_base = _base(KUBERNETES_VARIABLE, environment), _base(ETCD_VARIABLE, environment)
    folder = cache / f"release-v{version.kubernetes}-linux-{architecture()}"
    with exclusive(cache / f"{folder.name}.lock"), progress.step(f"fetching Kubernetes {version.kubernetes}"):
        for name in PROGRAMS:
            if name != "etcd" and not (folder / name).exists():
                progress.note(name)
                url = f"{base}/v{version.kubernetes}/bin/linux/{architecture()}/{name}"
                _download(url, _digest_at(f"{url}.sha256"), folder / name)
        if not (folder / "etcd").exists():
            _etcd(etcd_base, version.etcd, folder)
    return Toolset({name: folder / name for name in PROGRAMS}, "release files")


def coredns(version: KubeVersion, cache: Path, environment: Mapping[str, str], progress: Progress) -> Path:
    """Download `BASE/vVERSION/coredns_VERSION_linux_ARCH.tgz` and take the executable out of it, once."""
    base = _base(COREDNS_VARIABLE, environment)
    folder = cache / f"release-coredns-v{version.coredns}-linux-{architecture()}"
    executable = folder / "coredns"
    with exclusive(cache / f"{folder.name}.lock"), progress.step(f"fetching CoreDNS {version.coredns}"):
        if not executable.exists():
            archive = f"coredns_{version.coredns}_linux_{architecture()}.tgz"
            url = f"{base}/v{version.coredns}/{archive}"
            _download(url, _digest_at(f"{url}.sha256"), folder / archive)
            _extract(folder / archive, "coredns", executable)
    return executable


def _etcd(base: str, version: str, folder: Path) -> None:
    archive = f"etcd-v{version}-linux-{architecture()}.tar.gz"
    sums = _read(f"{base}/v{version}/SHA256SUMS").decode()
    digest = next((line.split()[0] for line in sums.splitlines() if line.endswith(archive)), None)
    if digest is None:
        raise ChecksumMismatch(f"SHA256SUMS of etcd {version} does not list {archive}")
    _download(f"{base}/v{version}/{archive}", digest, folder / archive)
    _extract(folder / archive, f"{archive.removesuffix('.tar.gz')}/etcd", folder / "etcd")


def _base(variable: str, environment: Mapping[str, str]) -> str:
    base = environment.get(variable, PUBLISHED_AT[variable]).rstrip("/")
    if not base:
        raise Unavailable(f"release files: {variable} is empty")
    if not base.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise Unavailable(f"release files: {variable} must be an https address")
    return base


def _digest_at(url: str) -> str:
    return _read(url).decode().split()[0]


def _read(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_WITHIN) as answer:  # noqa: S310 - _base checked the scheme
            return answer.read(_CHUNK)
    except (urllib.error.URLError, OSError) as failure:
        raise Unavailable(f"release files: {url}: {failure}") from failure


def _download(url: str, wanted: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.new")
    digest = hashlib.sha256()
    try:
        with (
            urllib.request.urlopen(url, timeout=_ANSWER_WITHIN) as answer,  # noqa: S310 - _base checked the scheme
            unfinished.open("wb") as file,
        ):
            while chunk := answer.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
    except (urllib.error.URLError, OSError) as failure:
        unfinished.unlink(missing_ok=True)
        raise Unavailable(f"release files: {url}: {failure}") from failure
    if digest.hexdigest() != wanted:
        unfinished.unlink()
        raise ChecksumMismatch(
            f"{url} has the SHA-256 {digest.hexdigest()}, but its checksum file says {wanted}"
        )
    unfinished.chmod(0o755)
    unfinished.replace(target)


def _extract(archive: Path, member: str, target: Path) -> None:
    with tarfile.open(archive) as tar:
        source = tar.extractfile(member)
        if source is None:
            raise ChecksumMismatch(f"{archive} (SHA-256 {digest_of(archive)}) does not contain {member}")
        unfinished = target.with_name(f".{target.name}.new")
        unfinished.write_bytes(source.read())
    unfinished.chmod(0o755)
    unfinished.replace(target)
    archive.unlink()
