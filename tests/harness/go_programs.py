"""Programs of others, built from their Go modules: minutes of work, once for each version."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from imagebuilder import cache
from localkube.golang.toolchain import find_go
from localkube.progress import progress_for

_GO = "1.25"
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}


@dataclass(frozen=True)
class Program:
    """The command in `package`, a folder of a module; `edits` are files of it with another content.

    `called` is its name where the folder has another.
    """

    module: str
    package: str
    version: str
    edits: Mapping[str, str] = field(default_factory=dict[str, str])
    called: str = ""

    @property
    def path(self) -> Path:
        """Where it is kept, named as the command is: else by the last part that is no major version."""
        parts = [
            part for part in f"{self.module}/{self.package}".split("/") if not re.fullmatch(r"v\d+|", part)
        ]
        return cache.folder("programs") / f"{self.called or parts[-1]}-{self.version}"

    @property
    def is_kept(self) -> bool:
        """Whether an earlier run has built it."""
        return self.path.is_file()


def built(program: Program) -> Path:
    """The program, with the very libraries that its authors chose; built where it is not kept.

    Raises Unavailable where there is no Go; AssertionError with what Go said where the build fails.
    """
    path = program.path
    with cache.held(path):
        if not path.is_file():
            progress = progress_for()
            go = find_go(_GO, cache.folder("go"), progress)
            step = f"building {path.name} from its Go module: minutes, but only once"
            with progress.step(step), TemporaryDirectory(dir=path.parent) as directory:
                sources, made = Path(directory, "sources"), Path(directory, "program")
                fetched = _run(
                    go, directory, "mod", "download", "-json", f"{program.module}@{program.version}"
                )
                shutil.copytree(orjson.loads(fetched)["Dir"], sources, copy_function=shutil.copyfile)
                for name, text in program.edits.items():
                    (sources / name).write_text(text)
                package = f"./{program.package}"
                _run(go, sources, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(made), package)
                made.rename(path)
    return path


def _run(go: Path, directory: Path | str, *arguments: str) -> str:
    done = subprocess.run(
        [go, *arguments],
        cwd=directory,
        env={**os.environ, **_ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"go {' '.join(arguments)}: {done.stderr[-2000:]}"
    return done.stdout
