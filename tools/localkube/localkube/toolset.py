"""The programs of one Kubernetes version, and where they came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# kubectl last: everything before it runs as a server.
PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)


@dataclass(frozen=True, slots=True)
class Toolset:
    """An executable for each name of PROGRAMS."""

    paths: Mapping[str, Path]
    source: str

    @classmethod
    def of_hyperkube(cls, executable: Path, source: str) -> "Toolset":
        """All programs in one `executable`, which acts as what it is called by."""
        return cls(dict.fromkeys(PROGRAMS, executable), source)

    def link_into(self, directory: Path) -> None:
        """Give every program its own name in `directory`."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, path in self.paths.items():
            link = directory / name
            if link.is_symlink() and link.readlink() == path:
                continue
            fresh = directory / f".{name}.new"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(path)
            fresh.replace(link)
