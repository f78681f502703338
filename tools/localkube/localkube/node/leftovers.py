"""Removes what a node leaves on the machine when its processes are gone, whether they ended or were killed.

Everything here may be partly gone already, so nothing complains about what is missing.
"""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from localkube import procfs
from localkube.errors import NodeRefused
from localkube.node import machine
from localkube.node.commands import attempt

_CGROUP_NAMES = ("kubepods", "kubepods.slice")
# What libcni remembers of each attachment, wherever the plugins keep theirs.
_ATTACHMENTS = Path("/var/lib/cni/results")
# Where containerd's shims make their sockets, whatever its state folder is.
_SHIM_SOCKETS = machine.CONTAINERD_SOCKET.parent / "s"

# Folders outside localkube's own that a node makes; they are removed if it was this node that made them.
FOREIGN_FOLDERS = (
    machine.POD_LOGS,
    machine.CONTAINER_LOGS,
    machine.DEVICE_PLUGINS.parent,
    machine.CONTAINERD_SOCKET.parent,
    _ATTACHMENTS.parent,
    Path("/run/netns"),
)


def containers_of_other_nodes() -> list[str]:
    """The processes in the kubelet's cgroups: before the first start, they belong to another kubelet."""
    return [procfs.command(pid) for pid in _contained()]


def kill_contained(seconds: float = 10) -> None:
    """Kill what runs in the containers: the processes in the kubelet's cgroups."""
    deadline = time.monotonic() + seconds
    while (pids := list(_contained())) and time.monotonic() < deadline:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


def unmount(data: Path) -> None:
    """Unmount everything below `data` and the node's own folders, the deepest first."""
    roots = tuple(f"{path}/" for path in (machine.RUN, machine.DATA, data))
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    decoded = (point.encode().decode("unicode_escape") for point in points)
    for point in sorted((point for point in decoded if point.startswith(roots)), key=len, reverse=True):
        attempt("umount", "--lazy", point)


def remove_files(made: tuple[str, ...]) -> None:
    """Delete the node's own folders and, of `made`, the foreign ones that only this node used."""
    for path in (machine.KUBELET_ROOT, machine.CONTAINERD_STATE, machine.ADDRESSES, machine.DEVICE_PLUGINS):
        shutil.rmtree(path, ignore_errors=True)
    for path in (machine.CONTAINERD_SOCKET, machine.CONTAINERD_SOCKET.with_suffix(".sock.ttrpc")):
        path.unlink(missing_ok=True)
    shutil.rmtree(_SHIM_SOCKETS, ignore_errors=True)
    for attachment in _ATTACHMENTS.glob("*"):
        if str(machine.CONTAINERD_STATE) in attachment.read_text(errors="replace"):
            attachment.unlink()
    for folder in made:
        _remove_made(Path(folder))
    if machine.DATA.is_dir() and not any(machine.DATA.iterdir()):
        machine.DATA.rmdir()


def remove_cgroups() -> None:
    """Remove the kubelet's cgroups, the deepest first; the kernel keeps those that are in use."""
    for top in _cgroups():
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                continue


def link_volumes(target: Path) -> None:
    """Have provisioned volumes land in `target`, the state folder of the cluster."""
    target.mkdir(parents=True, exist_ok=True)
    link = machine.PROVISIONED_VOLUMES
    if link.is_symlink() and os.lstat(link).st_uid == os.geteuid():
        link.unlink()
    try:
        link.symlink_to(target)
    except FileExistsError:
        raise NodeRefused(
            f"{link} exists and is not localkube's, but volumes can be provided there only: move it away, or "
            "use --control-plane-only"
        ) from None


def unlink_volumes(target: Path) -> None:
    """Take back `link_volumes`; the data stay with the cluster."""
    link = machine.PROVISIONED_VOLUMES
    if link.is_symlink() and link.readlink() == target:
        link.unlink()


def _remove_made(folder: Path) -> None:
    if folder in (machine.POD_LOGS, machine.CONTAINER_LOGS):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path, _, _ in os.walk(folder, topdown=False):
        try:
            os.rmdir(path)
        except OSError:
            continue


def _contained() -> Iterator[int]:
    for top in _cgroups():
        for folder, _, files in os.walk(top):
            if "cgroup.procs" in files:
                yield from _members(Path(folder) / "cgroup.procs")


def _members(file: Path) -> list[int]:
    try:
        return [int(line) for line in file.read_text().split() if line != "0"]
    except OSError:
        return []


def _cgroups() -> Iterator[Path]:
    for root in machine.cgroup_roots():
        yield from (root / name for name in _CGROUP_NAMES if (root / name).is_dir())
