"""A stack: brings everything up in order, takes it down in reverse, and says how it is."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from devstack import environment, packages, requirements, webapp
from devstack import settings as choices
from devstack.blueprint import Blueprint
from devstack.cluster import ClusterUnusable, GivenCluster, cluster_of
from devstack.lock import locked
from devstack.packages import CannotInstall
from devstack.ports import holder, is_free
from devstack.program import NotReady, Program, write_private
from devstack.report import Report
from devstack.servers import MissingProgram, PreparationFailed
from devstack.settings import Settings
from devstack.status import Component
from devstack.steps import Action, Say, StepFailed, Steps
from devstack.supervision import Supervisor, SupervisorError, marked_processes
from localkube.errors import LocalkubeError

_READY_SECONDS = 60
_CHECKED_EVERY = 0.1
_INSTALLER_SECONDS = 600
_EXPECTED = (
    CannotInstall,
    ClusterUnusable,
    LocalkubeError,
    MissingProgram,
    PreparationFailed,
    SupervisorError,
    OSError,
)
_KEPT = (
    "redis",
    "openldap",
    "mariadb",
    "prometheus",
    "kubernetes",
    "secrets",
    "certificates",
    "settings.json",
)
_PASSING = (
    "supervisor",
    "logs",
    "env",
    "kubesphere.yaml",
    "node-exporter",
    "account",
    "apiserver",
    "controller-manager",
    "apigateway",
    "console",
    "lock",
)


class NoStack(Exception):
    """There is no stack in the state folder."""


class PortTaken(Exception):
    """A port that the stack needs is in use; the text names port, setting and holder."""


class Stack:
    """The stack that `settings` describe. Its methods block; two that change it never run at once."""

    def __init__(self, settings: Settings, report: Report | None = None) -> None:
        self.settings = settings
        self._report = report or Report()
        self._steps = Steps(self._report, (*_EXPECTED, PortTaken))
        self._supervisor = Supervisor(settings.state)
        self._cluster = cluster_of(settings)

    @property
    def exists(self) -> bool:
        """Whether `up` was run and `down` was not."""
        return (self.settings.state / "settings.json").exists()

    def up(self) -> dict[str, str]:
        """Starts what does not run and waits until everything serves; gives the environment for scripts.

        Raises StepFailed or StepsFailed; what was started then goes on running, and the next `up` continues.
        """
        choices.check_ports(self.settings.ports)
        try:
            with locked(self.settings.state):
                return self._up()
        finally:
            self._report.close()

    def down(self, keep_data: bool = False) -> None:
        """Stops everything, crashed or not, and removes the state folder; `keep_data` leaves data in it.

        What runs is found even if somebody removed the folder.
        """
        if not self.settings.state.exists() and not any(marked_processes(self.settings.state)):
            return
        with locked(self.settings.state):
            self._stop_programs()
            self._steps.run("kubernetes", lambda _: self._stop_cluster(delete=not keep_data))
            _remove(self.settings.state, _PASSING if keep_data else (*_PASSING, *_KEPT))

    def status(self) -> list[Component]:
        """How each part is. Rewrites the environment file when a process has changed. Raises NoStack."""
        blueprint = self._blueprint()
        components = [self._cluster_component()]
        with ThreadPoolExecutor(max_workers=8) as pool:
            components += pool.map(self._component, blueprint.programs)
        self._write_environment(blueprint)
        return components

    def env(self) -> dict[str, str]:
        """The values of the environment file, as they are now. Raises NoStack."""
        return self._write_environment(self._blueprint())

    def restart(self, names: Iterable[str]) -> None:
        """Stops and starts supervised programs, and waits until they serve. Raises NoStack, StepFailed."""
        programs = {program.name: program for program in self._blueprint().programs}
        with locked(self.settings.state):
            for name in names:
                if name not in programs:
                    raise StepFailed(name, f"there is no such program; there are {', '.join(programs)}")
                self._supervisor.stop(name)
                self._steps.run(name, self._starting(programs[name]))
            self._write_environment(self._blueprint())

    def log_of(self, name: str) -> Path:
        """The log of a program. Raises NoStack."""
        return self._supervisor.log_of(name)

    def program_names(self) -> list[str]:
        """The supervised programs, in the order of starting. Raises NoStack."""
        return [program.name for program in self._blueprint().programs]

    def _up(self) -> dict[str, str]:
        before = choices.remembered(self.settings.state)
        self._steps.run("ports", lambda _: self._check_ports(before))
        self._steps.run("packages", self._install_packages)
        choices.remember(self.settings)
        blueprint = self._blueprint()
        self._steps.run("supervisor", lambda _: self._supervise(blueprint))
        try:
            self._start_everything(blueprint)
        finally:
            values = self._write_environment(blueprint)
        return values

    def _start_everything(self, blueprint: Blueprint) -> None:
        starting: dict[str, Action] = {"kubernetes": self._cluster.start, "application": webapp.build}
        self._steps.together(starting | {each.name: self._starting(each) for each in blueprint.servers})
        self._steps.run("installer", lambda _: self._install_platform())
        self._cluster.grant(service.name for service in blueprint.services)
        for stage in blueprint.service_stages:
            self._steps.together({each.name: self._starting(each) for each in stage})

    def _blueprint(self) -> Blueprint:
        if not self.exists:
            raise NoStack(f"there is no stack in {self.settings.state}: start one with `devstack up`")
        return Blueprint(self.settings, self._cluster)

    def _check_ports(self, before: Settings) -> str:
        wanted = _used_ports(self.settings)
        held = self._held_ports(before)
        for setting, port in wanted.items():
            if (setting, port) not in held and not is_free(port):
                raise PortTaken(_explain_taken(setting, port))
        return f"{len(wanted)} to be used"

    def _held_ports(self, before: Settings) -> set[tuple[str, int]]:
        """The ports on which the stack's own programs listen already."""
        if not self._supervisor.alive:
            self._supervisor.clear_leftovers()
        held = {("kubernetes", before.ports.kubernetes)} if cluster_of(before).state().running else set()
        if not self.exists:
            return held
        states = self._supervisor.states()
        for program in Blueprint(before, self._cluster).programs:
            if program.name in states and states[program.name].running:
                held.update(program.ports.items())
        return held

    def _install_packages(self, say: Say) -> str:
        packages.ensure(requirements.for_stack(self.settings), say)
        return "nothing missing"

    def _supervise(self, blueprint: Blueprint) -> str:
        blueprint.write_config()
        for program in blueprint.programs:
            program.directory.mkdir(mode=0o700, exist_ok=True)
            program.prepare()
        self._supervisor.run(blueprint.programs)
        return f"{len(blueprint.programs)} programs"

    def _starting(self, program: Program) -> Action:
        def start(_: Say) -> str:
            self._supervisor.start(program.name)
            self._wait_until_ready(program)
            return program.location

        return start

    def _wait_until_ready(self, program: Program) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        log = self._supervisor.log_of(program.name)
        while True:
            state = self._supervisor.states()[program.name]
            if not state.running:
                raise StepFailed(program.name, f"it ended: {state.why}", log)
            try:
                return program.check()
            except NotReady as reason:
                if time.monotonic() > deadline:
                    raise StepFailed(
                        program.name, f"not ready after {_READY_SECONDS} s: {reason}", log
                    ) from reason
            if self._steps.interrupted.wait(_CHECKED_EVERY):
                raise StepFailed(program.name, "interrupted while it started", log)

    def _install_platform(self) -> str:
        log = self._supervisor.log_of("installer")
        command = [str(Path(sys.executable).parent / "ks-installer"), "apply", "--profile", "dev"]
        with log.open("wb") as output:
            done = subprocess.run(
                [*command, "--kubeconfig", str(self._cluster.kubeconfig)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_INSTALLER_SECONDS,
                check=False,
            )
        if done.returncode != 0:
            raise StepFailed("installer", f"ks-installer ended with status {done.returncode}", log)
        return "profile dev"

    def _stop_programs(self) -> None:
        if not self.exists:
            self._supervisor.shut_down([])
            return
        for program in reversed(self._blueprint().programs):
            if self._supervisor.alive:
                self._steps.run(program.name, self._stopping(program))
        self._supervisor.shut_down([])

    def _stopping(self, program: Program) -> Action:
        def stop(_: Say) -> str:
            self._supervisor.stop(program.name)
            return "stopped"

        return stop

    def _stop_cluster(self, delete: bool) -> str:
        self._cluster.stop(delete)
        if isinstance(self._cluster, GivenCluster):
            return (
                "left as it is; to remove the platform from it: "
                f"ks-installer uninstall --kubeconfig {self._cluster.kubeconfig}"
            )
        return "stopped"

    def _cluster_component(self) -> Component:
        state = self._cluster.state()
        return Component(
            name="kubernetes",
            address=self._cluster.url if state.running else "-",
            pid=state.pid,
            since=state.since,
            healthy=state.problem is None,
            reason=state.problem or "",
        )

    def _component(self, program: Program) -> Component:
        state = self._supervisor.states().get(program.name)
        if state is None or not state.running:
            reason = f"{state.name.lower()}: {state.why}" if state else "not running: its supervisor is gone"
            return Component(program.name, program.location, None, None, False, reason)
        try:
            program.check()
            reason = ""
        except NotReady as why:
            reason = str(why)
        return Component(program.name, program.location, state.pid, state.since, not reason, reason)

    def _write_environment(self, blueprint: Blueprint) -> dict[str, str]:
        pids = {name: state.pid for name, state in self._supervisor.states().items() if state.pid}
        values = environment.values(blueprint, self._cluster, pids)
        write_private(self.settings.state / "env", environment.render(values))
        return values


def _used_ports(settings: Settings) -> dict[str, int]:
    """The ports that a stack with these settings listens on, by the name of their setting."""
    ports = asdict(settings.ports)
    if not settings.mariadb:
        del ports["mariadb"]
    if settings.kubeconfig:
        del ports["kubernetes"]
    return ports


def _explain_taken(setting: str, port: int) -> str:
    by = holder(port)
    who = f"by {by}" if by else "by a process that this user may not see"
    return (
        f"port {port} ({setting}) is in use {who}: end it, or choose another port with `make up "
        f"{setting.upper()}_PORT=...` (devstack up --port {setting}=..., {choices.port_variable(setting)})"
    )


def _remove(state: Path, names: Iterable[str]) -> None:
    """Removes what the stack wrote, and the folder when nothing else is in it."""
    for name in names:
        path = state / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if not any(state.iterdir()):
        state.rmdir()
