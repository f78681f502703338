"""Who runs the machine's one node: a record that outlives its writer, changed under a lock."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from localkube import procfs
from localkube.lock import exclusive
from localkube.node import machine
from localkube.supervisor import Supervisor

_RECORD = machine.RUN / "node.json"
_LOCK = machine.RUN / "lock"


@dataclass(frozen=True, slots=True)
class Claim:
    """The cluster at `state` has the node; `pid`, started at `started`, made the claim.

    `pid` is 0 once the start is over. `made` lists the folders beyond localkube's own that were not there.
    `since` is the Unix time of the first start: no container is older.
    """

    name: str
    state: str
    pid: int
    started: int
    made: tuple[str, ...]
    since: float

    def alive(self) -> bool:
        """Whether the node runs, or is being started right now."""
        supervisor = Supervisor(Path(self.state))
        running = any(supervisor.process(name).running() for name in machine.COMPONENTS)
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


def take(name: str, state: Path, folders: tuple[Path, ...], earlier: Claim | None) -> None:
    """Claim the node, or renew the claim `earlier` on one that runs; remember which `folders` are missing."""
    missing = {str(folder) for folder in folders if not folder.exists()}
    claim = Claim(
        name=name,
        state=str(state),
        pid=os.getpid(),
        started=procfs.start_time(os.getpid()) or 0,
        made=tuple(sorted({*missing, *(earlier.made if earlier else ())})),
        since=earlier.since if earlier else time.time(),
    )
    _RECORD.parent.mkdir(parents=True, exist_ok=True)
    _write(claim)


def settle(state: Path) -> None:
    """Say that the start of the cluster at `state` is over: from now on its processes alone keep it."""
    claim = current()
    if claim and claim.state == str(state):
        _write(replace(claim, pid=0))


def give_up() -> None:
    """Drop the claim."""
    _RECORD.unlink(missing_ok=True)


def _write(claim: Claim) -> None:
    unfinished = _RECORD.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(claim)))
    unfinished.replace(_RECORD)
