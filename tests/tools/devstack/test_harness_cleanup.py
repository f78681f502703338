"""Servers of the tests do not outlive them, however the tests end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import harness
from harness import eventually

SLEEPER = """
import time

def test_that_goes_on(redis_server, openldap):
    print(f"servers {redis_server.pid} {openldap.pid}", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_no_server_survives_the_end_of_the_tests(tmp_path: Path, number: signal.Signals):
    tests = start_tests(tmp_path)
    with tests:
        assert tests.stdout is not None
        line = next(line for line in tests.stdout if line.startswith("servers "))
        servers = [int(pid) for pid in line.split()[1:]]
        assert all(map(psutil.pid_exists, servers))
        tests.send_signal(number)
        tests.stdout.read()

    def ended() -> None:
        assert not [pid for pid in servers if _runs(pid)]

    await eventually(ended, timeout=30)


def start_tests(folder: Path) -> subprocess.Popen[str]:
    (folder / "test_sleeper.py").write_text(SLEEPER)
    options = ["-p", "harness.fixtures", "-o", "asyncio_mode=auto", "-s", "-q", f"--rootdir={folder}"]
    loops = [f"-o asyncio_default_{what}_loop_scope=session" for what in ("fixture", "test")]
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, *" ".join(loops).split(), str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(harness.__file__).parents[1])},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
