"""The command imagebuilder."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from imagebuilder import engine
from imagebuilder.command import output_of
from imagebuilder.errors import BuildFailed
from imagebuilder.service import Assembler, Service, services

_ROOT = Path(__file__).resolve().parents[3]
_EPILOG = f"""\
environment: PYTHON_IMAGE names another base image; PIP_INDEX_URL, UV_DEFAULT_INDEX and NPM_CONFIG_REGISTRY
mirrors of PyPI and npm; {engine.NETWORK}=default the engine's network for builds; DOCKER_HOST the engine"""


def main() -> None:
    """Makes images of the services, and prints name, size and digest of each."""
    parser = argparse.ArgumentParser(prog="imagebuilder", description=main.__doc__, epilog=_EPILOG)
    parser.add_argument("name", nargs="*", help="such as ks-account (default: all)")
    parser.add_argument("--root", type=Path, default=_ROOT, help="the repository (default: this one)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--docker", action="store_true", help="by the Docker engine (default: if one answers)")
    how.add_argument("--archives", action="store_true", help="without an engine, as archives")
    options = parser.parse_args()
    try:
        _make(options)
    except BuildFailed as error:
        sys.exit(f"imagebuilder: {error}")


def _make(options: argparse.Namespace) -> None:
    known = services(options.root)
    unknown = set(options.name) - known.keys()
    if unknown:
        raise BuildFailed(f"there is no image {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    chosen = [known[name] for name in options.name or known]
    if options.docker or (not options.archives and engine.answers()):
        _by_engine(chosen, options.root)
    else:
        _without_engine(chosen, options.root)


def _by_engine(chosen: Iterable[Service], root: Path) -> None:
    for service in chosen:
        built = engine.build(service, root, _arguments(service, root))
        print(f"{built.name:30} {built.size / 1e6:5.0f} MB  {built.digest}", flush=True)


def _without_engine(chosen: Iterable[Service], root: Path) -> None:
    print(
        "imagebuilder: no engine is used: archives for `docker load` or `ctr images import`", file=sys.stderr
    )
    assembler = Assembler(root)
    for service in chosen:
        archive = assembler.assemble(service.name, _arguments(service, root))
        print(
            f"{archive.name:30} {archive.size / 1e6:5.0f} MB  sha256:{archive.digest}  {archive.path}",
            flush=True,
        )


def _arguments(service: Service, root: Path) -> dict[str, str]:
    """What the labels of an image say of where it comes from."""
    return {"VERSION": service.version, "REVISION": _revision(root)}


def _revision(root: Path) -> str:
    try:
        return output_of("git", "-C", root, "rev-parse", "HEAD").strip()
    except BuildFailed:
        return "unknown"


if __name__ == "__main__":
    main()
