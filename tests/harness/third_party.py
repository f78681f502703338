"""Images of others under the names that the installer asks for, where no registry gives them.

What is in them is real: Debian's servers, and programs built from their Go modules. Only the wrapping is of
the tests: each takes the arguments and the environment that the image of its name takes, as far as the
installer's components use them. Kept below ~/.cache/kubesphere.
"""

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import go_programs
from harness.go_programs import Program
from imagebuilder import cache, debian
from imagebuilder.archive import Archive
from imagebuilder.kept import kept_archive
from imagebuilder.layer import Layer
from localkube.assets import ASSETS_VARIABLE, asset, unpack
from localkube.progress import Progress

_SCRIPTS = Path(__file__).parent / "scripts" / "images"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


PROMETHEUS = Program(
    "github.com/prometheus/prometheus",
    "cmd/prometheus",
    "v0.42.0",
    # Of its two dozen ways to find targets those that are used here; the others are most of its libraries.
    {
        "plugins/plugins.go": """package plugins

import (
	_ "github.com/prometheus/prometheus/discovery/file"
	_ "github.com/prometheus/prometheus/discovery/kubernetes"
)
"""
    },
)
"""Debian's is built without the discovery of what runs in Kubernetes."""
KUBE_RBAC_PROXY = Program("github.com/brancz/kube-rbac-proxy", "cmd/kube-rbac-proxy", "v0.19.1")
KUBE_STATE_METRICS = Program("k8s.io/kube-state-metrics/v2", "", "v2.15.0")
METRICS_SERVER = Program("sigs.k8s.io/metrics-server", "cmd/metrics-server", "v0.9.0")
VERSITYGW = Program("github.com/versity/versitygw", "cmd/versitygw", "v1.8.0")


@dataclass(frozen=True)
class Recipe:
    """What an image is made of: Debian packages, programs by their path inside, a script that starts it."""

    packages: tuple[str, ...] = ()
    programs: Mapping[str, Program | Path] = field(default_factory=dict[str, Program | Path])
    script: str = ""
    command: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


_RECIPES = {
    "redis": Recipe(("redis-server",)),
    "osixia/openldap": Recipe(("slapd",), script="openldap", folders=("var/lib/ldap", "etc/ldap/slapd.d")),
    "mariadb": Recipe(
        ("mariadb-server", "libmd0"), script="mariadb", folders=("var/lib/mysql", "run/mysqld")
    ),
    "prom/prometheus": Recipe(
        programs={"usr/bin/prometheus": PROMETHEUS}, command=("/usr/bin/prometheus",), folders=("prometheus",)
    ),
    "prom/node-exporter": Recipe(
        ("prometheus-node-exporter",), command=("/usr/bin/prometheus-node-exporter",)
    ),
    "registry.k8s.io/kube-state-metrics/kube-state-metrics": Recipe(
        programs={"kube-state-metrics": KUBE_STATE_METRICS}, command=("/kube-state-metrics",)
    ),
    "quay.io/brancz/kube-rbac-proxy": Recipe(
        programs={"kube-rbac-proxy": KUBE_RBAC_PROXY}, command=("/kube-rbac-proxy",)
    ),
    "registry.k8s.io/metrics-server/metrics-server": Recipe(
        programs={"metrics-server": METRICS_SERVER}, command=("/metrics-server",)
    ),
    "minio/minio": Recipe(programs={"usr/bin/versitygw": VERSITYGW}, script="minio", folders=("data",)),
}


def known(image: str) -> bool:
    """Whether `archive` can make it."""
    return _name(image) in _RECIPES


def unbuilt(image: str) -> list[str]:
    """The programs in the image of that name that would have to be built first, which takes minutes.

    None where KS_TEST_BUILD says that they may be, and in images that are not of others.
    """
    if os.environ.get("KS_TEST_BUILD") or not known(image):
        return []
    programs = _RECIPES[_name(image)].programs.values()
    return [one.path.name for one in programs if isinstance(one, Program) and not _is_at_hand(one)]


def archive(image: str, *, kubectl: Path | None = None, k3s: Path | None = None) -> Archive:
    """The image of that name and tag; made where it is not kept.

    `kubectl` is the program for an image of kubectl, whatever its name; `k3s` the one that has every program
    of Kubernetes and etcd in it, for an image of k3s. Raises BuildFailed, or Unavailable where Go is needed
    and not to be had.
    """
    recipe = _kubectl(kubectl) if kubectl else _k3s(k3s) if k3s else _RECIPES[_name(image)]
    layers = [_packages([*recipe.packages, "busybox-static"]), _applets(), *_own(recipe)]
    settings: dict[str, Any] = {"Env": [_PATH], "WorkingDir": "/"}
    if recipe.script:
        settings["Entrypoint"] = ["/start"]
    elif recipe.command:
        settings["Entrypoint"] = list(recipe.command)
    name = image.replace("/", "-").replace(":", "-")
    return kept_archive(image, layers, settings, cache.folder("third-party") / name)


def _name(image: str) -> str:
    head, _, last = image.rpartition("/")
    name = last.partition(":")[0]
    return f"{head}/{name}" if head else name


def _kubectl(program: Path) -> Recipe:
    return Recipe(programs={"usr/bin/kubectl": program.resolve()})


def _k3s(hyperkube: Path) -> Recipe:
    scripts = {f"usr/bin/{name}": _SCRIPTS / name for name in ("k3s", "kubectl")}
    return Recipe(("openssl",), programs={"usr/bin/hyperkube": hyperkube.resolve(), **scripts})


def _own(recipe: Recipe) -> list[Layer]:
    """The layer of what is not Debian's; none where there is nothing."""
    programs = {place: _found(program) for place, program in recipe.programs.items()}
    text = (_SCRIPTS / recipe.script).read_text() if recipe.script else ""
    if not programs and not text and not recipe.folders:
        return []

    def make(folder: Path) -> Mapping[str, Path]:
        for place, program in programs.items():
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(program, target)
            target.chmod(0o755)
        if text:
            (folder / "start").write_text(text)
            (folder / "start").chmod(0o755)
        for place in recipe.folders:
            (folder / place).mkdir(parents=True)
        return {"": folder}

    parts = [*(f"{place}={_stamp(program)}" for place, program in programs.items()), text, *recipe.folders]
    return [cache.layer("third-party", parts, make)]


@functools.cache
def _root_of(*names: str) -> Path:
    """Asked once for many images: apt takes a second to answer."""
    return debian.root_of(names)


def _packages(names: list[str]) -> Layer:
    root = _root_of(*names)
    return cache.layer("debian", [root.name], lambda _: {"": root}, world_writable=["tmp"])


def _applets() -> Layer:
    """The names under which busybox is a shell and its tools, where no package has them."""
    busybox = _root_of("busybox-static") / "usr" / "bin" / "busybox"
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()

    def make(folder: Path) -> Mapping[str, Path]:
        (folder / "usr/bin").mkdir(parents=True)
        for name in listed:
            if name != "busybox":
                (folder / "usr/bin" / name).symlink_to("busybox")
        return {"": folder}

    return cache.layer("applets", listed, make, world_writable=["tmp"])


def _found(program: Program | Path) -> Path:
    if isinstance(program, Path):
        return program
    packed = _packed(program)
    if packed is None:
        return go_programs.built(program)
    return unpack(packed, _command(program), cache.folder("programs"), Progress())


def _is_at_hand(program: Program) -> bool:
    return program.is_kept or _packed(program) is not None


def _packed(program: Program) -> Path | None:
    """The program in the folder of prebuilt ones, where there is one."""
    assets = os.environ.get(ASSETS_VARIABLE)
    return asset(Path(assets), _command(program), program.version.removeprefix("v")) if assets else None


def _command(program: Program) -> str:
    return program.path.name.removesuffix(f"-{program.version}")


def _stamp(program: Path) -> str:
    status = program.stat()
    return f"{program.name} {status.st_size} {status.st_mtime_ns}"
