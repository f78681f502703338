"""What a cluster looks like from outside."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One process: `since` is a Unix time, None when it does not run."""

    name: str
    pid: int | None
    since: float | None
    log: Path

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self.pid is not None


@dataclass(frozen=True, slots=True)
class Status:
    """A cluster at one moment; `problem` says what keeps it from being ready, None when nothing does."""

    name: str
    state: Path
    version: str
    url: str
    kubeconfig: Path
    with_node: bool
    ready: bool
    problem: str | None
    components: tuple[ComponentStatus, ...]

    @property
    def running(self) -> bool:
        """Whether any process of the cluster runs."""
        return any(component.running for component in self.components)
