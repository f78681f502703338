"""containerd with a configuration, data and state of its own, at the socket that the kubelet insists on."""

import os
import stat
from pathlib import Path

from localkube import procfs
from localkube.control_plane import Component
from localkube.errors import ImageError, SocketTaken
from localkube.node import images, machine
from localkube.node.commands import attempt
from localkube.packages import program

NAME = "containerd"
_NAMESPACE = "k8s.io"  # where containerd's Kubernetes plugin keeps everything


def refuse_foreign(own_pid: int | None) -> None:
    """Raise SocketTaken, naming the process, when another containerd has the socket."""
    if not machine.CONTAINERD_SOCKET.exists():
        return
    holder = procfs.listener_of(machine.CONTAINERD_SOCKET)
    if holder is None or holder == own_pid:
        return
    raise SocketTaken(
        f"{machine.CONTAINERD_SOCKET} is held by process {holder} ({procfs.command(holder)}): "
        "Docker's or the system's containerd, most likely. A node needs that socket: stop the other "
        "(`systemctl stop docker containerd`; `systemctl disable` keeps it so), or use --control-plane-only"
    )


def component(directory: Path, root: Path, plugins: Path) -> Component:
    """containerd, its data in `root`, its configuration written into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "containerd.toml"
    configuration.write_text(_configuration(root, plugins))
    return Component(NAME, (program(NAME), "--config", str(configuration)))


def answers() -> bool:
    """Whether containerd takes requests."""
    path = machine.CONTAINERD_SOCKET
    return (
        path.exists() and stat.S_ISSOCK(os.stat(path).st_mode) and attempt("ctr", "version").returncode == 0
    )


def image_names() -> set[str]:
    """The names of the images that are there, without the registry that containerd adds to a short one."""
    listed = _ctr("images", "ls", "-q").split()
    return {name.partition("/")[2] if name.count("/") > 1 else name for name in listed}


def import_image(archive: Path) -> list[str]:
    """Import an archive (docker or OCI, tar); gives the names in it. Raises ImageError."""
    if not archive.is_file():
        raise ImageError(f"{archive} is not there")
    printed = _ctr("images", "import", str(archive.absolute()))
    return [
        word for line in printed.splitlines() for word in line.split()[1:2] if line.startswith("unpacking")
    ]


def container_names() -> list[str]:
    """The containers that containerd knows, running or not."""
    return _ctr("containers", "ls", "-q").split()


def remove_containers() -> None:
    """Kill and forget every container of the node."""
    names = container_names()
    if names:
        attempt("ctr", "-n", _NAMESPACE, "tasks", "rm", "--force", *names)
        attempt("ctr", "-n", _NAMESPACE, "containers", "rm", *names)


def _ctr(*arguments: str) -> str:
    result = attempt("ctr", "-n", _NAMESPACE, *arguments)
    if result.returncode:
        raise ImageError(f"ctr {' '.join(arguments)} failed: {result.stderr.strip()}")
    return result.stdout


def _configuration(root: Path, plugins: Path) -> str:
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE, as in many containers, no score may be lowered.
    # netns_mounts_under_state_dir: network namespaces are found and removed with the rest of the state.
    unified = "true" if machine.cgroup_driver() == "systemd" else "false"
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{root}"
state = "{machine.CONTAINERD_STATE}"
disabled_plugins = [
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.internal.v1.tracing",
]

[grpc]
address = "{machine.CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
path = "{machine.CONTAINERD_STATE}/opt"

[{cri}]
sandbox_image = "{images.PAUSE}"
restrict_oom_score_adj = true
disable_apparmor = true
netns_mounts_under_state_dir = true

[{cri}.cni]
bin_dir = "{Path(program("ptp")).parent}"
conf_dir = "{plugins}"

[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[{cri}.containerd.runtimes.runc.options]
SystemdCgroup = {unified}
Root = "{machine.CONTAINERD_STATE}/runc"
"""
