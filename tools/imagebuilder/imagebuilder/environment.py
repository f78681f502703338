"""The Python environment of one service: its locked libraries, its own packages, its command.

A Dockerfile's build stage runs this module, with the standard library alone; so does what assembles images
without an engine. Libraries are those of uv.lock, verified by its hashes, from the index of UV_DEFAULT_INDEX,
else PyPI; the backend that builds our own packages is the one that pyproject.toml pins.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from imagebuilder.layer import TIME

SITE = "lib/python{version}/site-packages"
_PREFIX = Path("/app")
_SCRIPT = """#!{prefix}/bin/python
import sys

from {module} import {function}

sys.exit({function}())
"""


@dataclass(frozen=True, slots=True)
class Python:
    """The interpreter that an image has: where it is there, its version (3.11), and what runs it here."""

    path: str
    version: str
    command: tuple[str, ...]

    @classmethod
    def running(cls) -> "Python":
        """The one that runs this."""
        return cls(
            os.path.realpath(sys.executable),
            f"{sys.version_info[0]}.{sys.version_info[1]}",
            (sys.executable,),
        )


@dataclass(frozen=True, slots=True)
class Checkout:
    """The repository, and the uv that reads its lock."""

    root: Path
    uv: str

    def requirements(self, package: str) -> list[str]:
        """The libraries that uv.lock has `package` need: one entry each, with version and hashes."""
        exported = self._uv(
            "export", "--package", package, "--no-emit-workspace", "--no-annotate", "--no-header"
        )
        return [entry for entry in exported.replace("\\\n", " ").splitlines() if entry.strip()]

    def own_packages(self, package: str) -> list[Path]:
        """The folders of `package` and of our own packages that it needs."""
        exported = self._uv("export", "--package", package, "--no-annotate", "--no-header", "--no-hashes")
        return [(self.root / line).resolve() for line in exported.splitlines() if line.startswith("./")]

    def install_libraries(self, requirements: Iterable[str], python: Python, target: Path) -> None:
        """Unpacks the wheels of `requirements` into the folder `target`."""
        with TemporaryDirectory() as directory:
            listed = Path(directory, "requirements.txt")
            listed.write_text("".join(f"{entry}\n" for entry in requirements))
            self._pip(
                target, python, "--require-hashes", "--only-binary", ":all:", "--requirement", str(listed)
            )

    def install_own(self, folders: Iterable[Path], python: Python, target: Path) -> None:
        """Builds our own packages and unpacks them into the folder `target`."""
        with TemporaryDirectory() as directory:
            constraints = Path(directory, "constraints.txt")
            project = tomllib.loads((self.root / "pyproject.toml").read_text())
            pinned = project["tool"]["uv"].get("build-constraint-dependencies", [])
            constraints.write_text("".join(f"{each}\n" for each in pinned))
            self._pip(target, python, "--build-constraints", str(constraints), *map(str, folders))

    def _pip(self, target: Path, python: Python, *arguments: str) -> None:
        chosen = ("--python-version", python.version, "--target", str(target), "--link-mode", "copy")
        run([self.uv, "pip", "install", "--quiet", "--no-deps", "--no-config", *chosen, *arguments])

    def _uv(self, command: str, *arguments: str) -> str:
        frozen = (
            self.uv,
            command,
            "--quiet",
            "--project",
            str(self.root),
            "--frozen",
            "--no-dev",
            "--no-editable",
        )
        return run([*frozen, *arguments])


def compile_tree(python: Python, tree: Path, place: str) -> None:
    """Compiles the modules in `tree`, which will be at `place`; the result is good whatever its time."""
    modes = ("--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", place)
    run([*python.command, "-m", "compileall", "-q", "-f", *modes, str(tree)])


def write_programs(
    folders: Iterable[Path], package: str, python: Python, target: Path, prefix: Path = _PREFIX
) -> None:
    """Makes `target` the environment that will be at `prefix`: an interpreter, and the commands of `package`.

    `folders` are those of our own packages, of which `package` is one.
    """
    programs = target / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        (programs / name).symlink_to(python.path)
    home = os.path.dirname(python.path)
    (target / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    projects = (tomllib.loads((folder / "pyproject.toml").read_text())["project"] for folder in folders)
    project = next(each for each in projects if each["name"] == package)
    for name, entry in project.get("scripts", {}).items():
        module, _, function = entry.partition(":")
        script = programs / name
        script.write_text(_SCRIPT.format(prefix=prefix, module=module, function=function))
        script.chmod(0o755)


def clean(site: Path) -> None:
    """Removes from the folder of libraries `site` what differs between builds, and is of no use."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    for name in ("direct_url.json", "uv_build.json", "uv_cache.json", "REQUESTED"):
        for path in site.glob(f"*.dist-info/{name}"):
            path.unlink()
    for path in site.glob("*.dist-info/RECORD"):
        kept = [line for line in path.read_text().splitlines() if (site / line.split(",")[0]).exists()]
        path.write_text("".join(f"{line}\n" for line in sorted(kept)))


def settle(tree: Path) -> None:
    """Gives everything in `tree` one time, so that a layer of it depends on what is in it alone."""
    for directory, _, files in os.walk(tree):
        for name in ("", *files):
            os.utime(Path(directory, name), (TIME, TIME), follow_symlinks=False)


def run(command: Sequence[str]) -> str:
    """What `command` writes to its standard output. Raises CalledProcessError."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    """Makes the environment of one service in a build stage."""
    parser = argparse.ArgumentParser(prog="imagebuilder.environment", description=main.__doc__)
    parser.add_argument("package", help="such as ks-account")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: this folder)")
    parser.add_argument(
        "--image", type=Path, default=Path("/image"), help="what is copied (default: %(default)s)"
    )
    options = parser.parse_args()
    python = Python.running()
    checkout = Checkout(options.root.resolve(), "uv")
    target = options.image / _PREFIX.relative_to("/")
    site = target / SITE.format(version=python.version)
    own = checkout.own_packages(options.package)
    checkout.install_libraries(checkout.requirements(options.package), python, site)
    checkout.install_own(own, python, site)
    clean(site)
    compile_tree(python, site, f"{_PREFIX}/{site.relative_to(target)}")
    write_programs(own, options.package, python, target)
    settle(options.image)


if __name__ == "__main__":
    main()
