"""Finds what crashed clusters left and removes it; what runs properly is left alone."""

from collections.abc import Iterator
from pathlib import Path

from localkube import layout, procfs
from localkube.cluster import Localkube
from localkube.errors import LocalkubeError
from localkube.node import claim, network
from localkube.process import MARKER


def clean_up() -> list[str]:
    """Sweep up after clusters that crashed, or whose folder was deleted while they ran.

    Gives a line for each thing that was done.
    """
    return [*_crashed(), *_deleted()]


def _crashed() -> Iterator[str]:
    for root in list(layout.registered()):
        cluster = Localkube(root.name, root.parent)
        try:
            running = cluster.status().running
        except LocalkubeError:
            cluster.down()
            yield f"forgot cluster {root.name!r}, whose folder, {root}, is gone"
            continue
        if not running and _left_something(root):
            cluster.down()
            yield f"swept up after cluster {root.name!r} ({root}), which crashed"


def _deleted() -> Iterator[str]:
    marked = {procfs.environment(pid).get(MARKER) for pid in procfs.processes()}
    holder = claim.current()
    roots = {Path(root) for root in (*marked, holder and holder.state) if root}
    for root in sorted(roots):
        if not layout.Layout(root).settings.exists():
            Localkube(root.name, root.parent).down()
            yield f"ended cluster {root.name!r}, whose folder, {root}, is gone"


def _left_something(root: Path) -> bool:
    holder = claim.current()
    holds_node = holder is not None and holder.state == str(root)
    return holds_node or network.has_routes(root) or bool(procfs.with_environment(MARKER, str(root)))
