"""The stack as a developer meets it: up, looked at, hurt, up again, down."""

import json
import os
import shutil
import signal
import stat
from pathlib import Path

import psutil
import pytest

from devstack import environment, status
from devstack.settings import Ports, Settings
from devstack.stack import NoStack, Stack
from devstack.supervision import marked_processes
from harness import eventually

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory):
    """A stack without a node, brought up for this file's tests; the last of them takes it down."""
    state = tmp_path_factory.mktemp("stack") / "dev"
    brought_up = Stack(Settings(state=state, ports=Ports.free(), node=False, mariadb=True))
    try:
        brought_up.up()
        yield brought_up
    finally:
        brought_up.down()


def pids(stack: Stack) -> dict[str, str]:
    return {key: value for key, value in stack.env().items() if key.startswith("KS_PID_")}


def reason(stack: Stack, name: str) -> str:
    return next(each.reason for each in stack.status() if each.name == name)


def all_healthy(stack: Stack) -> None:
    assert not {each.name: each.reason for each in stack.status() if not each.healthy}


def test_everything_is_healthy_after_up(stack: Stack):
    all_healthy(stack)
    told = json.loads(status.as_json(stack.status()))
    assert told["healthy"] is True
    assert {"kubernetes", "redis", "openldap", "mariadb", "prometheus", "apigateway", "console"} <= {
        each["name"] for each in told["components"]
    }


def test_the_environment_file_is_for_its_owner_and_complete(stack: Stack):
    file = stack.settings.state / "env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    values = environment.parse(file.read_text())
    wanted = {
        "KS_GATEWAY_URL",
        "KS_CONSOLE_URL",
        "KS_ADMIN_PASSWORD",
        "KS_JWT_SECRET_FILE",
        "KUBECONFIG",
        "KS_KUBECTL",
    }
    services = {"APIGATEWAY", "ACCOUNT", "APISERVER", "CONTROLLER_MANAGER", "CONSOLE"}
    assert wanted | {f"KS_PID_{name}" for name in services} <= set(values)
    assert stat.S_IMODE(Path(values["KS_JWT_SECRET_FILE"]).stat().st_mode) == 0o600


def test_no_secret_is_on_a_command_line(stack: Stack):
    secrets = [file.read_text().strip() for file in (stack.settings.state / "secrets").iterdir()]
    for process in marked_processes(stack.settings.state):
        command = " ".join(process.cmdline())
        assert not [secret for secret in secrets if secret in command], process


def test_a_second_up_leaves_what_runs_alone(stack: Stack):
    before = pids(stack)
    stack.up()
    assert pids(stack) == before


async def test_a_crashed_server_comes_back_and_the_environment_file_knows(stack: Stack):
    before = pids(stack)["KS_PID_REDIS"]
    os.kill(int(before), signal.SIGKILL)
    await eventually(lambda: all_healthy(stack), timeout=30)
    values = environment.parse((stack.settings.state / "env").read_text())
    assert values["KS_PID_REDIS"] != before


async def test_status_says_which_back_end_a_service_lacks(stack: Stack):
    redis = int(pids(stack)["KS_PID_REDIS"])
    os.kill(redis, signal.SIGSTOP)
    try:

        def told() -> None:
            assert "redis" in reason(stack, "account")
            assert reason(stack, "redis")

        await eventually(told, timeout=60)
    finally:
        os.kill(redis, signal.SIGCONT)
    await eventually(lambda: all_healthy(stack), timeout=60)


def test_up_continues_after_the_supervisor_was_killed(stack: Stack):
    before = pids(stack)
    os.kill(int((stack.settings.state / "supervisor" / "supervisord.pid").read_text()), signal.SIGKILL)
    stack.up()
    all_healthy(stack)
    assert not set(before.values()) & set(pids(stack).values())


def test_down_leaves_no_process_and_no_file(stack: Stack):
    children = [int(pid) for pid in pids(stack).values()]
    cluster = next(each.pid for each in stack.status() if each.name == "kubernetes")
    stack.down()
    assert not list(marked_processes(stack.settings.state))
    assert not [pid for pid in [*children, cluster or 0] if alive(pid)]
    assert not stack.settings.state.exists()
    with pytest.raises(NoStack):
        stack.status()


def test_down_finds_what_runs_when_somebody_removed_the_state_folder(tmp_path: Path):
    state = tmp_path / "dev"
    stack = Stack(Settings(state=state, ports=Ports.free(), node=False))
    stack.up()
    try:
        cluster = next(each.pid for each in stack.status() if each.name == "kubernetes")
        shutil.rmtree(state)
    finally:
        Stack(Settings(state=state)).down()
    assert not list(marked_processes(state))
    assert not alive(cluster or 0)
    assert not state.exists()


def test_down_leaves_files_that_are_not_its_own(tmp_path: Path):
    (tmp_path / "precious").write_text("mine")
    Stack(Settings(state=tmp_path)).down()
    assert [file.name for file in tmp_path.iterdir()] == ["precious"]


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
