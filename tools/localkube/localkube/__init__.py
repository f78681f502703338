"""A real single-node Kubernetes from pinned binaries, for development and tests."""

from localkube.cluster import Localkube
from localkube.errors import LocalkubeError
from localkube.progress import PlainProgress, Progress, RichProgress
from localkube.status import ComponentStatus, Status
from localkube.versions import NEWEST, PINNED, KubeVersion, find_version

__all__ = [
    "NEWEST",
    "PINNED",
    "ComponentStatus",
    "KubeVersion",
    "Localkube",
    "LocalkubeError",
    "PlainProgress",
    "Progress",
    "RichProgress",
    "Status",
    "find_version",
]
