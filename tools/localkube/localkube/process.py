"""A detached process with a log and a pid file that outlive whoever started it.

Beside the number the pid file holds the process's start time and the boot's identifier, so that a recycled
pid is never taken for ours, let alone killed.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from localkube import procfs

# Environment variable that marks each process of a cluster with its state folder; children inherit it.
MARKER = "LOCALKUBE_CLUSTER"

_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_POLL = 0.05
_KILLED_WITHIN = 10

# Children of this very process: they stay zombies unless somebody collects them.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Record:
    """What a pid file says."""

    pid: int
    started: int
    boot: str
    since: float
    command: tuple[str, ...]

    def alive(self) -> bool:
        """Whether this very process still runs."""
        if self.pid in _children and _children[self.pid].poll() is not None:
            del _children[self.pid]
        return self.boot == procfs.boot_id() and procfs.start_time(self.pid) == self.started


class DetachedProcess:
    """One named process: `directory`/run/NAME.pid, `directory`/logs/NAME.log."""

    def __init__(self, name: str, directory: Path):
        self.name = name
        self.log = directory / "logs" / f"{name}.log"
        self._pid_file = directory / "run" / f"{name}.pid"
        self._marker = str(directory)

    def record(self) -> Record | None:
        """What is known of the process started last, alive or not."""
        try:
            fields = json.loads(self._pid_file.read_text())
            return Record(**{**fields, "command": tuple(fields["command"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def running(self) -> Record | None:
        """The record of the live process, None when there is none."""
        record = self.record()
        return record if record and record.alive() else None

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Record:
        """Start `command` in a session of its own, its output appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=self._environment(environment or {}),
                start_new_session=True,
            )
        _children[child.pid] = child
        started = procfs.start_time(child.pid)
        record = Record(child.pid, started or 0, procfs.boot_id(), time.time(), tuple(command))
        unfinished = self._pid_file.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(record)))
        unfinished.replace(self._pid_file)
        return record

    def stop(self, grace: float, hard: bool = False) -> bool:
        """End it: SIGTERM, then SIGKILL after `grace` seconds, at once when `hard`; True if it ran."""
        record = self.running()
        if record:
            if not hard:
                _send(record, signal.SIGTERM)
            if hard or not _gone(record, grace):
                _send(record, signal.SIGKILL)
                _gone(record, _KILLED_WITHIN)
        self._pid_file.unlink(missing_ok=True)
        return record is not None

    def tail(self, lines: int = 12) -> list[str]:
        """The last lines of the log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 16384))
                return log.read().decode(errors="replace").splitlines()[-lines:]
        except OSError:
            return []

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        kept["PATH"] = f"{kept['PATH']}:{_SYSTEM_PATH}" if "PATH" in kept else _SYSTEM_PATH
        return {**kept, **extra, MARKER: self._marker}


def kill_marked(directory: Path, programs: Sequence[str] = ("",)) -> list[int]:
    """Kill every process that carries the marker of the cluster at `directory`; gives their pids.

    What is found this way has lost its pid file, or has outlived its parent as containerd's shims do.
    `programs` narrows it to those whose name begins so.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + _KILLED_WITHIN
    while time.monotonic() < deadline:
        marked = procfs.with_environment(MARKER, str(directory))
        found = [
            pid for pid in marked if pid != os.getpid() and procfs.program(pid).startswith(tuple(programs))
        ]
        # The environment of a killed process goes before its threads do.
        if not found and not any(map(_lingers, killed)):
            break
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        killed |= set(found)
        time.sleep(_POLL)
    return sorted(killed)


def _lingers(pid: int) -> bool:
    if pid in _children:
        _children[pid].poll()
    return procfs.start_time(pid) is not None


def _send(record: Record, number: signal.Signals) -> None:
    try:
        os.kill(record.pid, number)
    except ProcessLookupError:
        return


def _gone(record: Record, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while record.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
