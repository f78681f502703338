"""Debian packages: which are missing, and how they come onto the machine.

Only programs are wanted. The services that the packages would start, now or at the next boot, stay off."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localkube.packages import find_program

_POLICY = Path("/usr/sbin/policy-rc.d")
_FORBIDDEN = (
    "#!/bin/sh\n# Written by devstack while it installs packages: none of them starts a service.\nexit 101\n"
)


class CannotInstall(Exception):
    """Packages are missing and may not be installed from here; the text holds the command to run."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A program, and the Debian package that brings it."""

    program: str
    package: str


def missing(
    requirements: Iterable[Requirement], find: Callable[[str], object] = find_program
) -> list[Requirement]:
    """Those of `requirements` whose program `find` does not find."""
    return [each for each in requirements if not find(each.program)]


def command_for(packages: Iterable[str], root: bool) -> str:
    """What a person types to install `packages`."""
    return f"{'' if root else 'sudo '}apt-get install --no-install-recommends {' '.join(packages)}"


def check_installable(lacking: list[Requirement], *, root: bool, debian: bool) -> None:
    """Raises CannotInstall when what is lacking cannot be installed by this user on this system."""
    if not lacking:
        return
    programs = ", ".join(each.program for each in lacking)
    packages = _packages(lacking)
    if not debian:
        raise CannotInstall(
            f"missing: {programs}. This system is not Debian: install what Debian calls {', '.join(packages)}"
        )
    if not root:
        raise CannotInstall(
            f"missing: {programs}. Installing needs root, and this user is not: run\n"
            f"    {command_for(packages, root=False)}"
        )


def ensure(requirements: Iterable[Requirement], say: Callable[[str], None]) -> None:
    """Installs what is missing. Raises CannotInstall, also when apt-get fails."""
    lacking = missing(requirements)
    check_installable(lacking, root=os.geteuid() == 0, debian=shutil.which("apt-get") is not None)
    if not lacking:
        return
    packages = _packages(lacking)
    say(f"installing {' '.join(packages)}")
    before = _installed()
    with _services_forbidden():
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", *packages)
    _disable_services(_installed() - before)
    still = missing(lacking)
    if still:
        raise CannotInstall(
            f"{', '.join(each.program for each in still)} cannot be found although "
            f"{', '.join(_packages(still))} is installed"
        )


def _packages(requirements: Iterable[Requirement]) -> list[str]:
    return sorted({each.package for each in requirements})


def _apt(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CannotInstall(f"apt-get {' '.join(arguments)} failed:\n{done.stdout[-2000:].strip()}")


@contextmanager
def _services_forbidden() -> Iterator[None]:
    """Keeps package scripts from starting services, by Debian's own means for it."""
    if _POLICY.exists():
        yield  # the machine has a policy already
        return
    _POLICY.write_text(_FORBIDDEN)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def _installed() -> set[str]:
    listing = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (line.split() for line in listing.stdout.splitlines())
    return {name for name, *status in lines if status == ["installed"]}


def _disable_services(packages: set[str]) -> None:
    """Keeps the units of freshly installed `packages` from starting at the next boot."""
    if not packages or shutil.which("systemctl") is None:
        return
    files = subprocess.run(
        ["dpkg-query", "--listfiles", *sorted(packages)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    units = [Path(file).name for file in files if "/systemd/system/" in file and _is_startable(file)]
    if units:
        subprocess.run(["systemctl", "disable", *units], capture_output=True, check=False)


def _is_startable(file: str) -> bool:
    return file.endswith((".service", ".socket", ".timer")) and "@" not in file
