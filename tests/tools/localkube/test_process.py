"""Processes outlive their starter, and a recycled pid is never taken for ours."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localkube import procfs
from localkube.process import MARKER, DetachedProcess, kill_marked


@pytest.fixture
def process(tmp_path: Path) -> Iterator[DetachedProcess]:
    """A process that is ended with the test."""
    made = DetachedProcess("sleeper", tmp_path)
    yield made
    made.stop(grace=0, hard=True)


def test_a_process_is_known_to_whoever_comes_later(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from localkube.process import DetachedProcess;"
        "print(DetachedProcess('sleeper', Path(sys.argv[1])).start(['sleep', '60']).pid)"
    )
    pid = int(subprocess.check_output([sys.executable, "-c", code, tmp_path], text=True))
    process = DetachedProcess("sleeper", tmp_path)
    record = process.running()
    assert record
    assert record.pid == pid
    assert os.getsid(pid) == pid
    assert process.stop(grace=5)
    assert procfs.start_time(pid) is None


def test_another_process_with_the_recorded_pid_is_left_alone(process: DetachedProcess, tmp_path: Path):
    process.start(["sleep", "60"])
    time.sleep(0.05)  # the kernel counts start times in hundredths of a second
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        file = tmp_path / "run/sleeper.pid"
        file.write_text(json.dumps({**json.loads(file.read_text()), "pid": innocent.pid}))
        assert process.running() is None
        assert not process.stop(grace=0, hard=True)
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()
        kill_marked(tmp_path)


def test_a_damaged_pid_file_is_no_process(process: DetachedProcess, tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/sleeper.pid").write_text("{half")
    assert process.running() is None


def test_one_that_ignores_the_signal_is_killed(process: DetachedProcess):
    record = process.start(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
    assert process.stop(grace=0.3)
    assert procfs.start_time(record.pid) is None


def test_children_of_a_killed_process_are_found_by_their_mark(process: DetachedProcess, tmp_path: Path):
    started = tmp_path / "started"
    process.start(["sh", "-c", f"sleep 60 & touch {started}; wait"])
    deadline = time.monotonic() + 10
    while not started.exists():
        assert time.monotonic() < deadline, "the child was never started"
        time.sleep(0.05)
    process.stop(grace=0, hard=True)
    assert kill_marked(tmp_path)
    assert procfs.with_environment(MARKER, str(tmp_path)) == []
