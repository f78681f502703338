"""What a node puts on the machine, and what the machine offers it: fixed paths, cgroups, privileges."""

from pathlib import Path

# The processes of a node, in the order in which they start.
COMPONENTS = ("containerd", "kubelet", "kube-proxy")

# The kubelet reports no metrics by container when containerd listens anywhere else.
CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")
# One node a machine: these need no cluster in their names.
RUN = Path("/run/localkube")
CONTAINERD_STATE = RUN / "containerd"
ADDRESSES = RUN / "addresses"
DATA = Path("/var/lib/localkube")
# Short, because the kubelet makes sockets below it and their paths may have 107 characters.
KUBELET_ROOT = DATA / "kubelet"
# The kubelet makes it, wherever its root is.
DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
POD_LOGS = Path("/var/log/pods")
CONTAINER_LOGS = Path("/var/log/containers")
# The path is built into the controller manager's provisioner.
PROVISIONED_VOLUMES = Path("/tmp/hostpath_pv")  # noqa: S108
NETWORK = "localkube"
INTERFACE = "localkube0"

CGROUPS = Path("/sys/fs/cgroup")


def cgroup_driver() -> str:
    """`systemd` where systemd owns a unified hierarchy, else `cgroupfs`, for kubelet and runc."""
    unified = (CGROUPS / "cgroup.controllers").exists()
    return "systemd" if unified and Path("/run/systemd/system").exists() else "cgroupfs"


def cgroup_roots() -> list[Path]:
    """The top folders of every cgroup hierarchy: one, or one for each controller in version 1."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return [path for path in CGROUPS.iterdir() if path.is_dir() and not path.is_symlink()]
