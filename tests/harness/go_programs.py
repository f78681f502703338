"""Programs of others, built from their Go modules: minutes of work, once for each version."""

import os
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from imagebuilder import cache
from localkube.golang.toolchain import find_go
from localkube.progress import progress_for

_GO = "1.25"
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def kept(module: str, package: str, version: str) -> bool:
    """Whether an earlier run has built it."""
    return _place(module, package, version).is_file()


def built(module: str, package: str, version: str) -> Path:
    """The program in `package` (a folder, or "" for its top) of a module, built where it is not kept.

    Raises Unavailable where there is no Go; AssertionError with what Go said where the build fails.
    """
    program = _place(module, package, version)
    with cache.held(program):
        if not program.is_file():
            progress = progress_for()
            go = find_go(_GO, cache.folder("go"), progress)
            step = f"building {program.name} from its Go module: minutes, but only once"
            with progress.step(step), TemporaryDirectory(dir=program.parent) as directory:
                path = f"{module}/{package}".rstrip("/")
                made = Path(directory, "program")
                _run(go, directory, "mod", "init", "localbuild")
                _run(go, directory, "get", f"{module}@{version}")
                _run(go, directory, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(made), path)
                made.rename(program)
    return program


def _place(module: str, package: str, version: str) -> Path:
    """Named as the command is: by the last part of its path that is no major version."""
    parts = [part for part in f"{module}/{package}".split("/") if not re.fullmatch(r"v\d+|", part)]
    return cache.folder("programs") / f"{parts[-1]}-{version}"


def _run(go: Path, directory: str, *arguments: str) -> None:
    done = subprocess.run(
        [go, *arguments],
        cwd=directory,
        env={**os.environ, **_ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"go {' '.join(arguments)}: {done.stderr[-2000:]}"
