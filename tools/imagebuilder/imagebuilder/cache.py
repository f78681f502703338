"""What is kept from one build to the next, below $XDG_CACHE_HOME/kubesphere/images."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from imagebuilder.layer import Layer, write_layer

_FORM = "1"  # of layers that are made of the same things; another one makes them anew


def folder(name: str) -> Path:
    """The cache's folder for things of one kind; made where it is missing."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(home, "kubesphere", "images", name)
    path.mkdir(parents=True, exist_ok=True)
    return path


def key_of(parts: Iterable[str]) -> str:
    """The name under which what `parts` determine is kept."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Lets one process at a time make what belongs at `path`."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def layer(
    kind: str,
    made_of: Iterable[str],
    trees: Callable[[Path], Mapping[str, Path]],
    world_writable: Iterable[str] = (),
) -> Layer:
    """The layer of the folders that `trees` makes or names; made where none is kept of what it is `made_of`.

    `trees` is given a folder to work in, and gives folders by their path in the image.
    """
    path = folder("layers") / f"{kind}-{key_of([_FORM, *made_of])}.tar"
    digest = path.with_suffix(".sha256")
    with held(path):
        if not digest.is_file():
            with TemporaryDirectory(dir=path.parent) as directory:
                content, unfinished = Path(directory, "content"), Path(directory, "layer.tar")
                content.mkdir()
                made = write_layer(trees(content), unfinished, world_writable=world_writable)
                unfinished.rename(path)
                digest.write_text(made.digest)
    return Layer(path, digest.read_text(), path.stat().st_size)
