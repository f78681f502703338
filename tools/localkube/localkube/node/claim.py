"""Who runs the machine's one node: a record that outlives its writer, changed under a lock."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from localkube import procfs
from localkube.assets import exclusive
from localkube.node import machine
from localkube.supervisor import Supervisor

COMPONENTS = ("containerd", "kubelet", "kube-proxy")
_RECORD = machine.RUN / "node.json"
_LOCK = machine.RUN / "lock"


@dataclass(frozen=True, slots=True)
class Claim:
    """The cluster at `state` has the node; `pid`, started at `started`, made the claim.

    `pid` is 0 once the start is over. `made` lists the folders beyond localkube's own that were not there.
    """

    name: str
    state: str
    pid: int
    started: int
    made: tuple[str, ...]

    def alive(self) -> bool:
        """Whether the node runs, or is being started right now."""
        supervisor = Supervisor(Path(self.state))
        running = any(supervisor.process(name).running() for name in COMPONENTS)
        return running or (self.pid != 0 and procfs.start_time(self.pid) == self.started)


@contextmanager
def machine_lock() -> Iterator[None]:
    """Hold what is changed on the machine as a whole; other clusters of localkube wait."""
    with exclusive(_LOCK):
        yield


def current() -> Claim | None:
    """The claim on the machine's node, alive or left over; None when nobody has it."""
    try:
        fields = json.loads(_RECORD.read_text())
        return Claim(**{**fields, "made": tuple(fields["made"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def take(name: str, state: Path, folders: tuple[Path, ...]) -> Claim:
    """Claim the node; of `folders` remember those that are not there yet."""
    earlier = current()
    kept = earlier.made if earlier and earlier.state == str(state) else ()
    made = {*kept, *(str(folder) for folder in folders if not folder.exists())}
    claim = Claim(name, str(state), os.getpid(), procfs.start_time(os.getpid()) or 0, tuple(sorted(made)))
    _RECORD.parent.mkdir(parents=True, exist_ok=True)
    _write(claim)
    return claim


def settle() -> None:
    """Say that the start which took the claim is over: from now on the node's processes alone keep it."""
    claim = current()
    if claim and claim.pid == os.getpid():
        _write(replace(claim, pid=0))


def give_up() -> None:
    """Drop the claim."""
    _RECORD.unlink(missing_ok=True)


def _write(claim: Claim) -> None:
    unfinished = _RECORD.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(claim)))
    unfinished.replace(_RECORD)
