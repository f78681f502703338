"""Programs are kept running, and none outlives its supervisor."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from devstack.ports import free_port
from devstack.program import Program, check_http
from devstack.supervision import Supervisor, SupervisorError, marked_processes
from harness import eventually


@dataclass(kw_only=True)
class FileServer(Program):
    """A program of few means: serves its own folder over HTTP."""

    arguments: tuple[str, ...] = ("-m", "http.server", "--bind", "127.0.0.1")

    @property
    def name(self) -> str:
        return "files"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def configuration(self) -> Path:
        return self.directory / "settings"

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self.configuration.exists():
            self.configuration.write_text("one")

    def command(self) -> list[str]:
        return [sys.executable, *self.arguments, str(self.port)]

    def check(self) -> None:
        check_http(self.url)


@pytest.fixture
def files(tmp_path: Path) -> FileServer:
    program = FileServer(directory=tmp_path / "files", port=free_port())
    program.prepare()
    return program


@pytest.fixture
def supervisor(tmp_path: Path):
    started = Supervisor(tmp_path)
    yield started
    started.shut_down([])
    assert not list(marked_processes(tmp_path))


def pid_of(supervisor: Supervisor, name: str = "files") -> int:
    pid = supervisor.states()[name].pid
    assert pid is not None, supervisor.states()[name]
    return pid


async def test_a_program_that_dies_is_started_again(supervisor, files):
    supervisor.run([files])
    supervisor.start("files")
    await eventually(lambda: running(supervisor, "RUNNING"))
    first = pid_of(supervisor)
    os.kill(first, signal.SIGKILL)

    def another() -> None:
        assert pid_of(supervisor) != first

    await eventually(another)


async def test_a_program_that_cannot_start_is_reported_and_its_output_kept(supervisor, files):
    files.arguments = ("-c", "import sys; print('no such luck'); sys.exit(3)")
    supervisor.run([files])
    supervisor.start("files")
    await eventually(lambda: running(supervisor, "BACKOFF"))
    assert supervisor.states()["files"].why == "Exited too quickly (process log may have details)"
    assert "no such luck" in supervisor.log_of("files").read_text()


async def test_a_changed_configuration_restarts_the_program_and_the_same_one_does_not(supervisor, files):
    supervisor.run([files])
    supervisor.start("files")
    first = pid_of(supervisor)
    supervisor.run([files])
    assert pid_of(supervisor) == first
    files.configuration.write_text("two")
    supervisor.run([files])
    assert not psutil.pid_exists(first)
    supervisor.start("files")
    assert pid_of(supervisor) != first


async def test_a_program_that_is_no_longer_wanted_stops(supervisor, files):
    supervisor.run([files])
    supervisor.start("files")
    first = pid_of(supervisor)
    supervisor.run([])
    assert not psutil.pid_exists(first)


async def test_nothing_survives_a_killed_supervisor_and_the_next_one_takes_over(supervisor, files, tmp_path):
    supervisor.run([files])
    supervisor.start("files")
    first = pid_of(supervisor)
    os.kill(int((tmp_path / "supervisor" / "supervisord.pid").read_text()), signal.SIGKILL)
    supervisor.run([files])
    assert gone(first)
    supervisor.start("files")
    await eventually(lambda: running(supervisor, "RUNNING"))


def test_a_state_folder_with_too_long_a_path_is_refused(tmp_path):
    with pytest.raises(SupervisorError, match="too long a path"):
        Supervisor(tmp_path / ("x" * 100)).run([])


def gone(pid: int) -> bool:
    """Whether the process has ended, collected by its parent or not."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def running(supervisor: Supervisor, state: str) -> None:
    assert supervisor.states()["files"].name == state
