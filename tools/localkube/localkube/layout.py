"""Where things are: the state folder of a cluster, the folders of the user, the register of clusters."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

STATE_VARIABLE = "LOCALKUBE_STATE"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths inside the state folder of one cluster."""

    root: Path

    @property
    def settings(self) -> Path:
        """Ports, version and ranges: what must stay the same between two starts."""
        return self.root / "cluster.json"

    @property
    def lock(self) -> Path:
        """Held while the cluster is being changed."""
        return self.root / "lock"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.root / "pki"

    @property
    def kubeconfigs(self) -> Path:
        """One kubeconfig for each component and each user."""
        return self.root / "kubeconfigs"

    @property
    def admin_kubeconfig(self) -> Path:
        """The kubeconfig of the cluster's administrator."""
        return self.root / "kubeconfig"

    @property
    def bin(self) -> Path:
        """Each program under its own name."""
        return self.root / "bin"

    @property
    def etcd(self) -> Path:
        """The cluster's data."""
        return self.root / "etcd"

    @property
    def node(self) -> Path:
        """Configuration of the node's components."""
        return self.root / "node"

    @property
    def containerd(self) -> Path:
        """Images and snapshots."""
        return self.root / "containerd"

    @property
    def volumes(self) -> Path:
        """Data of bound volume claims."""
        return self.root / "volumes"


def default_state(environment: Mapping[str, str] = os.environ, directory: Path | None = None) -> Path:
    """The folder that holds clusters: $LOCALKUBE_STATE, else `.dev/localkube` where there is a `.dev`, else
    the user's state folder."""
    if environment.get(STATE_VARIABLE):
        return Path(environment[STATE_VARIABLE]).absolute()
    project = (directory or Path.cwd()) / ".dev"
    return project / "localkube" if project.is_dir() else _user_state(environment)


def cache_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Where unpacked and built programs are kept."""
    base = environment.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "localkube"


def register(root: Path) -> None:
    """Remember the state folder `root`, so that `list` and `cleanup` find it from anywhere."""
    entry = _register_entry(root)
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.write_text(str(root))


def register_lock() -> Path:
    """Held while what clusters share is handed out, such as ports."""
    return _user_state(os.environ) / "register.lock"


def forget(root: Path) -> None:
    """Undo `register`."""
    _register_entry(root).unlink(missing_ok=True)


def registered() -> Iterator[Path]:
    """The state folders of every cluster that this user has started and not deleted."""
    directory = _user_state(os.environ) / "register"
    if directory.is_dir():
        for entry in sorted(directory.iterdir()):
            yield Path(entry.read_text())


def _register_entry(root: Path) -> Path:
    return _user_state(os.environ) / "register" / hashlib.sha256(str(root).encode()).hexdigest()[:16]


def _user_state(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local/state") / "localkube"
