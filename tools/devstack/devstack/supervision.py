"""supervisord for one stack: started in the background, told what to run, asked how that is.

Programs die with their supervisor: the kernel sends them SIGTERM when it is gone, however it went. What
outlasts even that is found by a mark in its environment."""

import hashlib
import os
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from devstack.program import Program, write_private
from devstack.tail import tail

MARK = "DEVSTACK_STATE"
_CONFIGURATION = "DEVSTACK_CONFIGURATION"
_DIES_WITH_SUPERVISOR = ("setpriv", "--pdeathsig", "TERM", "--")
_LONGEST_SOCKET_PATH = 107  # sun_path of Linux, without its final zero
_SETTLED = 10  # seconds for supervisord to answer or to end
_RETRIES = 8  # starts that fail in a row, each a second later than the last, until it is left stopped


class SupervisorError(Exception):
    """supervisord cannot be started or refuses an order; the text says why."""


@dataclass(frozen=True, slots=True)
class ProgramState:
    """What supervisord knows of a program. `name` is supervisord's word for the state, such as RUNNING."""

    name: str
    pid: int | None
    since: datetime | None
    why: str
    """For a program that does not run: how it ended."""

    @property
    def running(self) -> bool:
        return self.pid is not None

    @property
    def given_up(self) -> bool:
        """Whether it ended and will not be started again by itself."""
        return self.name in ("FATAL", "EXITED", "STOPPED", "UNKNOWN")


class Supervisor:
    """The supervisord of the stack whose state is in `state`."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._directory = state / "supervisor"
        self._socket = self._directory / "socket"
        self._config = self._directory / "supervisord.conf"

    @property
    def log(self) -> Path:
        return self._directory / "supervisord.log"

    def log_of(self, program: str) -> Path:
        """Where the output of a program goes."""
        return self._state / "logs" / f"{program}.log"

    @property
    def alive(self) -> bool:
        """Whether supervisord answers."""
        try:
            self._call("supervisor.getState")
        except SupervisorError:
            return False
        return True

    def run(self, programs: Iterable[Program]) -> None:
        """Starts supervisord if need be, and tells it of `programs`; starts none of them.

        A program whose command or environment has changed is stopped; so is one that is no longer named.
        """
        self._check_socket_path()
        (self._state / "logs").mkdir(parents=True, exist_ok=True)
        write_private(self._config, self._configuration(programs))
        if not self.alive:
            self._launch()
        added, changed, removed = self._call("supervisor.reloadConfig")[0]
        for name in [*changed, *removed]:
            self.stop(name)
            self._call("supervisor.removeProcessGroup", name)
        for name in [*added, *changed]:
            self._call("supervisor.addProcessGroup", name)

    def start(self, name: str) -> None:
        """Starts a program that does not run, at once also where a failed start waits for its turn."""
        state = self.states()[name]
        if state.running:
            return
        if not state.given_up:
            self.stop(name)
        self._call("supervisor.startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stops a program and waits until it is gone."""
        if not self.states()[name].given_up:
            self._call("supervisor.stopProcess", name)

    def states(self) -> dict[str, ProgramState]:
        """Every program's state by name; empty when supervisord does not run."""
        try:
            return {info["name"]: _state(info) for info in self._call("supervisor.getAllProcessInfo")}
        except SupervisorError:
            return {}

    def shut_down(self, order: Iterable[str]) -> None:
        """Stops the programs in `order`, then supervisord, then whatever of the stack is left."""
        known = self.states()
        for name in order:
            if name in known:
                self.stop(name)
        if known or self.alive:
            self._call("supervisor.shutdown")
            self._wait_for_end()
        self.clear_leftovers()

    def clear_leftovers(self) -> None:
        """Ends the stack's processes that run without a supervisor, as after its crash."""
        if self.alive:
            return
        left = list(marked_processes(self._state))
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in left:
                _signal(process, number)
            left = _still_alive(left, _SETTLED)
        self._socket.unlink(missing_ok=True)

    def _launch(self) -> None:
        self.clear_leftovers()
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(self._config)],
            env=_clean_environment(self._state),
            cwd=self._state,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SupervisorError(f"supervisord does not start: {(done.stderr or done.stdout).strip()}")
        deadline = time.monotonic() + _SETTLED
        while not self.alive:
            if time.monotonic() > deadline:
                raise SupervisorError(f"supervisord does not answer on {self._socket}:\n{tail(self.log)}")
            time.sleep(0.02)

    def _wait_for_end(self) -> None:
        deadline = time.monotonic() + _SETTLED
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.05)

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport("", "", f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
            try:
                return getattr(proxy, method)(*arguments)
            except xmlrpc.client.Fault as fault:
                raise SupervisorError(f"supervisord: {fault.faultString}") from fault
            except (OSError, xmlrpc.client.ProtocolError) as error:
                raise SupervisorError(f"supervisord does not answer on {self._socket}: {error}") from error

    def _check_socket_path(self) -> None:
        length = len(os.fsencode(str(self._socket))) + len(".") + len(str(os.getpid()))
        if length > _LONGEST_SOCKET_PATH:
            raise SupervisorError(
                f"the state folder {self._state} has too long a path for a Unix socket: choose a shorter one"
            )

    def _configuration(self, programs: Iterable[Program]) -> str:
        sections = [
            ("unix_http_server", {"file": self._socket, "chmod": "0700"}),
            (
                "supervisord",
                {
                    "logfile": self.log,
                    "logfile_maxbytes": "1MB",
                    "logfile_backups": 1,
                    "pidfile": self._directory / "supervisord.pid",
                    "childlogdir": self._state / "logs",
                    "identifier": "devstack",
                }
                | ({"user": "root"} if os.geteuid() == 0 else {}),
            ),
            (
                "rpcinterface:supervisor",
                {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
            ),
            *((f"program:{program.name}", self._section(program)) for program in programs),
        ]
        return "\n".join(_section_text(title, values) for title, values in sections)

    def _section(self, program: Program) -> dict[str, object]:
        return {
            "command": shlex.join([*_DIES_WITH_SUPERVISOR, *program.command()]),
            "directory": program.directory,
            "environment": ",".join(f'{key}="{value}"' for key, value in _environment(program).items()),
            "autostart": "false",
            "autorestart": "true",
            "startsecs": 1,
            "startretries": _RETRIES,
            "stopwaitsecs": program.stop_seconds,
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": self.log_of(program.name),
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": 1,
        }


def _environment(program: Program) -> dict[str, str]:
    """The program's variables and a digest of its configuration: when either changes, it is restarted."""
    variables = dict(program.environment)
    if program.configuration is not None:
        variables[_CONFIGURATION] = hashlib.sha256(program.configuration.read_bytes()).hexdigest()[:16]
    return variables


def marked_processes(state: Path) -> Iterable[psutil.Process]:
    """The processes that were started for the stack in `state`, supervisord among them."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(state):
                yield process
        except psutil.Error:
            continue


def _state(info: Mapping[str, Any]) -> ProgramState:
    running = bool(info["pid"])
    return ProgramState(
        name=info["statename"],
        pid=info["pid"] or None,
        since=datetime.fromtimestamp(info["start"], UTC) if running else None,
        why="" if running else str(info["spawnerr"] or info["description"]),
    )


def _section_text(title: str, values: Mapping[str, object]) -> str:
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in values.items() if value != ""]
    return "\n".join([f"[{title}]", *lines, ""])


def _clean_environment(state: Path) -> dict[str, str]:
    """The caller's environment without what would configure our services behind the configuration's back."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("KS_") and name not in ("KUBECONFIG", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return kept | {MARK: str(state), "PYTHONUNBUFFERED": "1"}


def _still_alive(processes: list[psutil.Process], within: float) -> list[psutil.Process]:
    """Those of `processes` that have not ended after `within` seconds. Zombies have: a container's first
    process may never collect them."""
    deadline = time.monotonic() + within
    while left := [process for process in processes if _is_alive(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        pass  # it has just ended
