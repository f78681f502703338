"""What can go wrong, each with a message that says what to do about it."""

from collections.abc import Sequence


class LocalkubeError(Exception):
    """Base of every error that localkube raises for its user."""


class UnknownVersion(LocalkubeError):
    """A Kubernetes version that is not pinned."""


class ChecksumMismatch(LocalkubeError):
    """A file is not the one its checksum list speaks of."""


class Unavailable(LocalkubeError):
    """One source cannot give a program; the next one is asked."""


class BinariesMissing(LocalkubeError):
    """No source could give the programs of the version; the message names each source and its reason."""


class BuildFailed(LocalkubeError):
    """The Go build did not end well."""


class StateMismatch(LocalkubeError):
    """The state folder belongs to a cluster made with other settings."""


class PortTaken(LocalkubeError):
    """The port that was asked for is in use."""


class ComponentFailed(LocalkubeError):
    """A component ended, or was not ready in time; carries the end of its log."""

    def __init__(self, name: str, why: str, log: str, tail: Sequence[str]):
        ending = "".join(f"\n    {line}" for line in tail)
        super().__init__(f"{name} {why}; its log, {log}, ends with:{ending}")
        self.component = name


class NotRunning(LocalkubeError):
    """The cluster, or the component, is not running."""


class NodeRefused(LocalkubeError):
    """This machine or this user cannot run a node; the message says why."""


class NodeHeld(NodeRefused):
    """Another cluster of localkube runs the one node that a machine can have."""

    def __init__(self, name: str, state: str):
        super().__init__(
            f"cluster {name!r} ({state}) already runs a node on this machine, and only one can: "
            f"take it down with `localkube down --name {name}`, or start this one with --control-plane-only"
        )
        self.holder = name


class SocketTaken(NodeRefused):
    """A containerd that is not localkube's listens where the node's must."""


class PackagesMissing(NodeRefused):
    """Debian packages that a node needs are not installed."""


class Unanswered(LocalkubeError):
    """The API server did not answer, or could not for the moment."""


class ImageError(LocalkubeError):
    """An image could not be built or imported."""
