"""The Debian packages that a node needs, and nothing else in localkube does."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from localkube.errors import NodeRefused, PackagesMissing
from localkube.progress import Progress

PLUGIN_DIRECTORIES = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
_ADMIN_PATH = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"))
_SYSTEMD = Path("/run/systemd/system")


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package, what the node needs it for, and the programs that prove that it is there."""

    name: str
    purpose: str
    programs: tuple[str, ...]


NODE_PACKAGES = (
    Package("containerd", "runs the containers", ("containerd", "ctr", "runc")),
    Package("containernetworking-plugins", "connects pods", ("ptp", "host-local", "loopback")),
    Package("nftables", "gives Services their addresses", ("nft",)),
    Package("busybox-static", "is in the pause image and the test image", ("busybox",)),
    Package("iproute2", "makes the node's interface and routes", ("ip",)),
)


def find_program(name: str) -> Path | None:
    """The path of a program that a node needs, in the administrator's PATH or among the network plugins."""
    plugins = os.pathsep.join(str(directory) for directory in PLUGIN_DIRECTORIES)
    found = shutil.which(name, path=os.pathsep.join((_ADMIN_PATH, os.environ.get("PATH", ""), plugins)))
    return Path(found) if found else None


def program(name: str) -> str:
    """The path of a program that a node needs; raises PackagesMissing naming its package."""
    found = find_program(name)
    if found is None:
        raise _missing([package for package in NODE_PACKAGES if name in package.programs])
    return str(found)


def missing() -> list[Package]:
    """The packages of which a program is not to be found."""
    return [package for package in NODE_PACKAGES if not all(map(find_program, package.programs))]


def require() -> None:
    """Raise PackagesMissing, saying what to install, unless every package is there."""
    absent = missing()
    if absent:
        raise _missing(absent)


def install(progress: Progress) -> list[Package]:
    """Install what is missing with apt-get; gives what was installed.

    Raises NodeRefused without root or apt-get, or when apt-get fails.
    """
    absent = missing()
    if not absent:
        return []
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise _missing(absent)
    names = [package.name for package in absent]
    with progress.step(f"installing {' '.join(names)}"):
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", *names)
        if "containerd" in names and _SYSTEMD.exists():
            # Debian starts the service at once, and it would hold the socket that the node needs.
            subprocess.run(["systemctl", "disable", "--now", "containerd"], check=False, capture_output=True)
    require()
    return absent


def _apt_get(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    result = subprocess.run(
        ["apt-get", "-q", *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if result.returncode:
        raise NodeRefused(
            f"apt-get {' '.join(arguments)} failed: {result.stderr.strip() or result.stdout.strip()}"
        )


def _missing(packages: list[Package]) -> PackagesMissing:
    needed = ", ".join(f"{package.name} ({package.purpose})" for package in packages)
    names = " ".join(package.name for package in packages)
    return PackagesMissing(
        f"a node needs Debian packages that are not here: {needed}. Install them "
        f"with `apt-get install {names}` or `localkube up --install` as root, or use --control-plane-only"
    )
