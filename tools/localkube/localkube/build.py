"""Builds the programs from their Go modules, as a last resort: minutes of work, once for each version."""

import json
import os
import re
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from localkube.assets import cached, release_name
from localkube.errors import BuildFailed, Unavailable
from localkube.golang.toolchain import find_go
from localkube.lock import exclusive
from localkube.progress import Progress
from localkube.versions import KubeVersion

_KUBERNETES = "k8s.io/kubernetes"
_COREDNS = "github.com/coredns/coredns"
_ETCD = "go.etcd.io/etcd/server/v3"
_SMALL = "-s -w"  # without symbol table and debug information: half the size
# An older Go would fetch a toolchain of its own; the one that was found is new enough.
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"}


def hyperkube(version: KubeVersion, cache: Path, progress: Progress) -> Path:
    """Build every program of Kubernetes, and etcd, into one executable in `cache`; gives its path.

    Raises Unavailable when there is no Go or no module to be had, BuildFailed when the compiler fails.
    """

    def compile_in(go: "_Go") -> None:
        module = _module(go, version)
        (go.directory / "go.mod").write_text(_go_mod((module / "go.mod").read_text(), version))
        (go.directory / "go.sum").write_bytes((module / "go.sum").read_bytes())
        (go.directory / "main.go").write_bytes(
            files("localkube.golang").joinpath("hyperkube.go").read_bytes()
        )
        go.run("mod", "tidy")
        go.run("build", "-v", "-trimpath", "-ldflags", f"{_SMALL} {_stamps(version)}", "-o", "hyperkube", ".")

    return _build("hyperkube", version.kubernetes, version.go, cache, progress, compile_in)


def coredns(version: KubeVersion, cache: Path, progress: Progress) -> Path:
    """Build CoreDNS into `cache`; gives its path. Raises as `hyperkube` does."""

    def compile_in(go: "_Go") -> None:
        go.run("install", "-v", "-trimpath", "-ldflags", _SMALL, f"{_COREDNS}@v{version.coredns}")

    return _build("coredns", version.coredns, version.go, cache, progress, compile_in)


def _build(
    program: str,
    version: str,
    go_version: str,
    cache: Path,
    progress: Progress,
    compile_in: Callable[["_Go"], None],
) -> Path:
    name = release_name(program, version)
    with exclusive(cache / f"{name}.lock"):
        if earlier := cached(program, version, cache):
            return earlier
        go = find_go(go_version, cache, progress)
        step = f"building {program} {version} from its Go module: minutes, but only once"
        with progress.step(step), tempfile.TemporaryDirectory(dir=cache, prefix="build-") as directory:
            compile_in(_Go(go, Path(directory), cache / f"{name}.log", progress))
            executable = cache / name / program
            executable.parent.mkdir(exist_ok=True)
            (Path(directory) / program).replace(executable)
    return executable


@dataclass(frozen=True, slots=True)
class _Go:
    """Runs `go` in `directory`; what it says goes to `log`."""

    executable: Path
    directory: Path
    log: Path
    progress: Progress

    def run(self, *arguments: str) -> None:
        """Run a command, counting the packages it names; raises BuildFailed with the end of its output."""
        last: deque[str] = deque(maxlen=15)
        with (
            self.log.open("a") as log,
            subprocess.Popen(
                [self.executable, *arguments],
                cwd=self.directory,
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            for number, line in enumerate(process.stdout or (), start=1):
                log.write(line)
                last.append(line.rstrip())
                if number % 50 == 0:
                    self.progress.note(f"go {arguments[0]}: {number} packages, {line.strip()}")
        if process.returncode:
            ending = "".join(f"\n    {line}" for line in last)
            raise BuildFailed(f"go {arguments[0]} failed; {self.log} ends with:{ending}")

    def ask(self, *arguments: str) -> str:
        """What a command prints; raises Unavailable when it fails."""
        result = subprocess.run(
            [self.executable, *arguments],
            cwd=self.directory,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise Unavailable(f"build: go {' '.join(arguments)}: {(result.stdout + result.stderr).strip()}")
        return result.stdout

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, **_ENVIRONMENT, "GOBIN": str(self.directory)}


def _module(go: _Go, version: KubeVersion) -> Path:
    """The folder of Kubernetes' sources, fetched when they are not there."""
    return Path(json.loads(go.ask("mod", "download", "-json", f"{_KUBERNETES}@v{version.kubernetes}"))["Dir"])


def _go_mod(original: str, version: KubeVersion) -> str:
    """The module of the one executable, with what Kubernetes' own says about Go and its staging modules.

    Those are required at v0.0.0 and found in its source tree; published they are v0.MINOR.PATCH.
    """
    kept = [line for line in original.splitlines() if line.startswith(("go ", "godebug "))]
    staging = sorted(set(re.findall(r"^\s*(k8s\.io/[a-z0-9-]+) v0\.0\.0$", original, re.MULTILINE)))
    return "\n".join(
        [
            "module localkube/hyperkube",
            *kept,
            f"require {_KUBERNETES} v{version.kubernetes}",
            f"require {_ETCD} v{version.etcd}",
            *(f"replace {name} => {name} v{version.staging}" for name in staging),
            "",
        ]
    )


def _stamps(version: KubeVersion) -> str:
    """Linker flags that tell the programs their version, as the release build does."""
    major, minor, _ = version.kubernetes.split(".")
    values = {
        "gitVersion": f"v{version.kubernetes}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    base = (f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())
    return " ".join([*base, f"-X k8s.io/client-go/pkg/version.gitVersion=v{version.kubernetes}"])
