"""Images of our services, assembled without an engine: Debian's Python, locked libraries, our own packages.

What an image runs, and as whom, is read from the service's Dockerfile, so that both ways give one image.
Libraries lie in layers by who uses them, so that the images of several services share most of their bytes.
"""

import platform
import shutil
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from uv import find_uv_bin

from imagebuilder import cache, debian, environment
from imagebuilder.archive import Archive
from imagebuilder.dockerfile import last_stage
from imagebuilder.environment import Checkout, Python
from imagebuilder.errors import BuildFailed
from imagebuilder.kept import kept_archive
from imagebuilder.layer import Layer

_PACKAGES = (
    "ca-certificates",
    "libpython3.11-stdlib",
    "libstdc++6",
    "media-types",
    "netbase",
    "python3.11-minimal",
    "tzdata",
)
_VERSION = "3.11"
_SITE = f"app/{environment.SITE.format(version=_VERSION)}"
_BASE_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
_COPIES = [("build", "/image", "/")]  # what environment.py makes, and nothing else
_NOT_SOURCES = {"__pycache__", "node_modules", "dist"}


@dataclass(frozen=True, slots=True)
class Service:
    """Something of ours that runs in a container, by the name of its distribution and of its image."""

    name: str
    folder: Path

    @property
    def dockerfile(self) -> Path:
        return self.folder / "Dockerfile"

    @property
    def version(self) -> str:
        return tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]["version"]

    @property
    def image(self) -> str:
        """The image's name and tag."""
        return f"{self.name}:{self.version}"


def services(root: Path) -> dict[str, Service]:
    """What has a Dockerfile in the repository `root`, by name."""
    found: dict[str, Service] = {}
    for dockerfile in sorted([*root.glob("services/*/Dockerfile"), *root.glob("installer/Dockerfile")]):
        project = tomllib.loads(dockerfile.with_name("pyproject.toml").read_text())["project"]
        found[project["name"]] = Service(project["name"], dockerfile.parent)
    return found


class Assembler:
    """Assembles the images of the repository `root`, each kept until something that it is made of changes."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._checkout = Checkout(self._root, find_uv_bin())
        self._services = services(self._root)

    def assemble(self, name: str, arguments: dict[str, str] | None = None) -> Archive:
        """The archive of the service `name` (ks-account). `arguments` are those of a build, such as REVISION.

        Raises BuildFailed.
        """
        if name not in self._services:
            raise BuildFailed(f"there is no image {name}; there are {', '.join(self._services)}")
        service = self._services[name]
        stage = last_stage(service.dockerfile, arguments or {}, _BASE_ENVIRONMENT)
        if stage.copies != _COPIES:
            raise BuildFailed(f"{service.dockerfile}: what its last stage copies needs an engine")
        layers = [self._base, *self._libraries(name), self._own(service)]
        return kept_archive(service.image, layers, stage.config, cache.folder("archives") / service.name)

    @cached_property
    def _root_of_python(self) -> Path:
        return debian.root_of(_PACKAGES)

    @cached_property
    def _python(self) -> Python:
        """Runs by its own loader and libraries, whatever Python the machine has."""
        root = self._root_of_python
        machine = platform.machine()
        loader = next((root / "usr" / "lib").glob(f"{machine}-linux-gnu/ld-linux-*.so.*"))
        command = (
            str(loader),
            "--library-path",
            str(loader.parent),
            str(root / "usr/bin/python3.11"),
            "-I",
            "-S",
        )
        return Python("/usr/bin/python3.11", _VERSION, command)

    @cached_property
    def _base(self) -> Layer:
        def make(folder: Path) -> None:
            shutil.copytree(self._root_of_python, folder, symlinks=True, dirs_exist_ok=True)
            environment.compile_tree(self._python, folder / "usr/lib/python3.11", "/usr/lib/python3.11")

        return cache.layer("python", [self._root_of_python.name], _at("", make), world_writable=["tmp"])

    @cached_property
    def _requirements(self) -> dict[str, list[str]]:
        return {name: self._checkout.requirements(name) for name in self._services}

    def _libraries(self, name: str) -> list[Layer]:
        users: dict[str, set[str]] = defaultdict(set)
        for service, requirements in self._requirements.items():
            for requirement in requirements:
                users[requirement].add(service)
        groups: dict[frozenset[str], list[str]] = defaultdict(list)
        for requirement in self._requirements[name]:
            groups[frozenset(users[requirement])].append(requirement)
        widest_first = sorted(groups, key=lambda group: (-len(group), sorted(group)))
        return [self._library(groups[group]) for group in widest_first]

    def _library(self, requirements: list[str]) -> Layer:
        def make(site: Path) -> None:
            self._checkout.install_libraries(requirements, self._python, site)
            environment.clean(site)
            environment.compile_tree(self._python, site, f"/{_SITE}")

        return cache.layer("libraries", [_VERSION, *requirements], _at(_SITE, make))

    def _own(self, service: Service) -> Layer:
        folders = self._checkout.own_packages(service.name)

        def make(app: Path) -> None:
            site = app / environment.SITE.format(version=_VERSION)
            self._checkout.install_own(folders, self._python, site)
            environment.clean(site)
            environment.compile_tree(self._python, site, f"/{_SITE}")
            environment.write_programs(folders, service.name, self._python, app)

        pinned = (self._root / "pyproject.toml").read_text()
        return cache.layer("own", [_VERSION, pinned, *_contents(folders)], _at("app", make))


def _at(place: str, make: Callable[[Path], None]) -> Callable[[Path], dict[str, Path]]:
    """What `make` puts into a folder, at `place` in the image."""

    def made(folder: Path) -> dict[str, Path]:
        make(folder)
        return {place: folder}

    return made


def _contents(folders: Iterable[Path]) -> Iterable[str]:
    """Names and digests of the files that the packages in `folders` are built from."""
    for folder in folders:
        for source in (folder, *_forced(folder)):
            for path in sorted(source.rglob("*")):
                if path.is_file() and not _NOT_SOURCES & set(path.parts):
                    yield str(path.relative_to(source.parent))
                    yield cache.key_of([path.read_text(errors="surrogateescape")])


def _forced(folder: Path) -> list[Path]:
    """What a wheel of the package in `folder` takes from elsewhere in the repository."""
    build = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    included = build["targets"]["wheel"].get("force-include", {})
    return [(folder / source).resolve() for source in included if source.startswith("../")]
