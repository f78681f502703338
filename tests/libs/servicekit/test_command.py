"""The command of a service, as a process: it starts, says what is wrong, and stops cleanly."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
import textwrap
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import yaml

from devstack.ports import free_port
from harness.waiting import eventually

SERVICE = """
import asyncio, os
from pydantic import SecretStr
from servicekit import run
from servicekit.app import service
from servicekit.config import Config
from servicekit.group import Group
from servicekit.section import Section

group = Group("demo.kubesphere.io", "v1", prefix="", identified=False)

class DemoConfig(Config):
    class Demo(Section):
        title: str = "demo"
        api_key: SecretStr = SecretStr("")
        tags: list[str] = []
    demo: Demo = Demo()

@group.get("/slow")
async def slow(seconds: float = 1) -> int:
    '''Answers after a while, with its process.'''
    print("entered", flush=True)
    await asyncio.sleep(seconds)
    return os.getpid()

@group.get("/pid")
async def pid() -> int:
    return os.getpid()

class Redis:
    name = "redis"
    async def open(self): pass
    async def check(self): raise OSError("connection refused")
    async def close(self): print("closed", flush=True)

def build(config):
    return service("ks-demo", config, groups=[group], needs=[Redis()])

run.main("ks-demo", DemoConfig, build, shorthands={"--title": ("demo.title", "the title")})
"""


@dataclass
class Running:
    process: asyncio.subprocess.Process
    output: asyncio.StreamReader
    address: str

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = await asyncio.wait_for(self.process.communicate(), 30)
        return self.process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "demo.py"
    path.write_text(SERVICE)
    return path


def environment(**extra: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **extra}


async def run_to_end(program: Path, *argv: str, **env: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        *argv,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**env),
        cwd=program.parent,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


@contextlib.asynccontextmanager
async def started(program: Path, *argv: str) -> AsyncIterator[tuple[Running, aiohttp.ClientSession]]:
    address_file = program.parent / "address"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        "--listen",
        "127.0.0.1:0",
        "--address-file",
        str(address_file),
        *argv,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
        cwd=program.parent,
    )

    def it_listens() -> str:
        assert process.returncode is None
        assert address_file.exists()
        return address_file.read_text()

    try:
        address = await eventually(it_listens, timeout=30)
        assert process.stdout is not None
        async with aiohttp.ClientSession() as session:
            yield Running(process, process.stdout, address), session
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
async def test_the_first_signal_stops_it_once_running_requests_have_their_answer(program, number, workers):
    async with started(program, "--set", f"server.workers={workers}") as (service, session):
        assert (await session.get(f"{service.url}/healthz")).status == 200
        request = asyncio.create_task(session.get(f"{service.url}/slow?seconds=1"))
        assert (await service.output.readline()) == b"entered\n"
        status, out, _ = await service.stop(number)
        answer = await request
        assert answer.status == 200
        assert int(await answer.text()) > 0
        assert status == 0
        assert (
            1 <= out.count("closed") <= workers
        )  # a worker that was only just starting had nothing to close


async def test_a_request_that_outlasts_the_grace_is_cut(program):
    async with started(program, "--set", "server.shutdownGrace=300ms") as (service, session):
        request = asyncio.create_task(session.get(f"{service.url}/slow?seconds=600"))
        await service.output.readline()
        status, out, _ = await service.stop()
        assert status == 0
        assert "closed" in out
        with pytest.raises(aiohttp.ClientError):
            await request


async def test_several_workers_share_the_requests_and_their_metrics(program):
    async with started(program, "--set", "server.workers=2") as (service, session):
        pids = set()

        async def both_workers_have_answered():
            async with aiohttp.ClientSession() as session:  # a new connection, so perhaps another worker
                pids.add(int(await (await session.get(f"{service.url}/pid")).text()))
            assert len(pids) == 2

        await eventually(both_workers_have_answered, timeout=30)
        assert service.process.pid not in pids
        text = await (await session.get(f"{service.url}/metrics")).text()
        counted = re.search(r'_count\{.*http_route="/pid".*\} (\S+)', text)
        assert counted
        assert float(counted[1]) >= 2

        known = set(pids)
        os.kill(pids.pop(), signal.SIGKILL)

        async def another_worker_takes_its_place():
            async with aiohttp.ClientSession() as fresh:
                assert int(await (await fresh.get(f"{service.url}/pid")).text()) not in known

        await eventually(another_worker_takes_its_place, timeout=30)
        _, _, err = await service.stop()
        lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
        assert any(line["logger"] == "gunicorn.error" for line in lines)


async def test_it_logs_json_with_the_address_and_each_request_without_secrets(program):
    async with started(program) as (service, session):
        answer = await session.get(f"{service.url}/pid?token=hunter2&x=1", headers={"X-Request-Id": "r1"})
        assert answer.status == 200
        await session.get(f"{service.url}/healthz")
        _, _, err = await service.stop()
        assert "hunter2" not in err
        lines = [json.loads(line) for line in err.splitlines()]
        assert any(line.get("address") == service.address for line in lines)
        (access,) = [line for line in lines if line["logger"] == "servicekit.access"]
        assert access["path"] == "/pid?token=***&x=1"
        assert (access["method"], access["status"], access["requestId"]) == ("GET", 200, "r1")
        assert access["bytes"] > 0
        assert any("redis is down: connection refused" in line["message"] for line in lines)


async def test_a_line_break_in_input_makes_no_line_of_its_own_in_the_text_log(program):
    async with started(program, "--set", "log.format=text") as (service, session):
        await session.get(f"{service.url}/x%0aerror%20fake")
        _, _, err = await service.stop()
        assert not any(line.startswith("error") for line in err.splitlines())


async def test_a_taken_port_is_said_in_one_line(program):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for workers in ("1", "2"):
            status, _, err = await run_to_end(
                program, "--listen", address, "--set", f"server.workers={workers}"
            )
            assert status == 1
            assert err.splitlines()[-1] == f"ks-demo: cannot listen at {address}: Address already in use"
            assert "Traceback" not in err


@pytest.mark.parametrize("workers", [1, 2])
async def test_what_operators_ask_can_have_an_address_of_its_own(program, workers):
    ops = f"127.0.0.1:{free_port()}"
    flags = ("--set", f"server.opsListen={ops}", "--set", f"server.workers={workers}")
    async with started(program, *flags) as (service, session):
        for path in ("/readyz", "/metrics"):
            assert (await session.get(service.url + path)).status == 404
            assert (await session.get(f"http://{ops}{path}")).status != 404
        assert (await session.get(f"{service.url}/healthz")).status == 200
        status, _, _ = await service.stop()
        assert status == 0


async def test_it_listens_at_an_address_of_ipv6(program):
    async with started(program, "--listen", "[::1]:0") as (service, session):
        assert service.address.startswith("[::1]:")
        assert (await session.get(f"{service.url}/healthz")).status == 200


WRONG = {
    "a file that is missing": (
        ["--config", "nowhere.yaml"],
        None,
        "nowhere.yaml: cannot read the configuration file",
    ),
    "a directory": (["--config", "."], None, "cannot read the configuration file: Is a directory"),
    "not YAML": ([], "redis:\n  host: [x\n", "line 3, column 1: not valid YAML"),
    "not text": ([], b"redis: \xff\n", "not valid YAML"),
    "a list": ([], "- a\n", "must hold keys and values"),
    "a section without keys": (
        [],
        "redis: 5\n",
        "must hold keys and values (kubesphere.yaml, line 1)",
    ),
    "a wrong type": ([], "redis:\n  port: many\n", "redis.port: should be a valid integer"),
    "its line": ([], "redis:\n  port: many\n", "(kubesphere.yaml, line 2)"),
    "out of range": ([], "redis:\n  port: 70000\n", "redis.port: should be less than or equal to 65535"),
    "an unknown key": (
        [],
        "redis:\n  hots: x\n",
        "no such key; did you mean redis.host?",
    ),
    "a key given twice": (
        [],
        "redis:\n  host: x\n  Host: y\n",
        "given twice (kubesphere.yaml, lines 2 and 3)",
    ),
    "a secret given twice": ([], "redis:\n  password: x\n  passwordFile: y\n", "is given twice"),
    "a duration": (
        [],
        "mysql:\n  maxConnectionLifeTime: soon\n",
        "maxConnectionLifeTime: a duration is",
    ),
    "an address": (["--listen", "nowhere"], None, "server.listen: must be host:port"),
    "an unknown flag key": (["--set", "redis.hots=x"], None, "did you mean redis.host? (flag --set)"),
    "a setting without a value": (["--set", "redis.host"], None, "must be section.key=value"),
    "a secret's file": (
        ["--set", "demo.apiKeyFile=/nowhere"],
        None,
        "demo.apiKeyFile: cannot read /nowhere: No",
    ),
    "a secret's file with nothing in it": (
        ["--set", "demo.apiKeyFile=/dev/null"],
        None,
        "demo.apiKeyFile: /dev/null is empty",
    ),
    "a log level": (
        [],
        "log:\n  level: loud\n",
        "log.level: should be 'debug', 'info'",
    ),
    "a broken list": (["--set", "demo.tags={"], None, "demo.tags: "),
    "several mistakes": ([], "redis:\n  port: x\n  db: y\n", "(and 1 more)"),
    "merge bomb": ([], "a: &a [x]\nredis: *b\n", "not valid YAML"),
}


@pytest.mark.parametrize(("argv", "file", "expected"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_configuration_is_said_in_one_line(program, argv, file, expected):
    if file is not None:
        path = program.parent / "kubesphere.yaml"
        path.write_bytes(file if isinstance(file, bytes) else file.encode())
    status, out, err = await run_to_end(program, *argv)
    assert status == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("ks-demo: configuration: ")
    assert expected in err


async def test_a_wrong_variable_is_named_and_a_secret_never_shown(program):
    status, _, err = await run_to_end(
        program, "check-config", KS_REDIS_PORT="hunter2", KS_REDIS_PASSWORD="hunter2"
    )
    assert status == 2
    assert "environment variable KS_REDIS_PORT" in err
    assert "hunter2" not in err


@pytest.mark.parametrize("command", ["check-config", "openapi"])
async def test_a_reader_that_goes_away_is_no_error_worth_a_traceback(program, command):
    read, write = os.pipe()
    os.close(read)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), command),
        stdout=write, stderr=asyncio.subprocess.PIPE, env=environment(), cwd=program.parent,
    )  # fmt: skip
    os.close(write)
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert b"Traceback" not in err


async def test_the_effective_configuration_is_shown_with_secrets_masked(program):
    (program.parent / "key").write_text("hunter2\n")
    (program.parent / "kubesphere.yaml").write_text(
        textwrap.dedent("""
        redis: {host: file, port: 1, password: hunter2}
        mysql: {password: hunter2, MaxConnectionLifetime: 1m}
        Demo: {apiKeyFile: key, tags: [a]}
        unheardOf: {x: 1}
        """)
    )
    status, out, err = await run_to_end(
        program,
        "check-config",
        "--set",
        "redis.db=3",
        KS_REDIS_PORT="2",
        KS_REDIS_DB="2",
        KS_DEMO_TAGS="b,c",
        KS_ACCOUNT_SERVICE_HOST="10.0.0.1",
    )
    assert status == 0, err
    shown = yaml.safe_load(out)
    assert shown["redis"]["host"] == "file"
    assert shown["redis"]["port"] == 2
    assert shown["redis"]["db"] == 3
    assert shown["mysql"]["maxConnectionLifeTime"] == 60
    assert shown["demo"] == {"title": "demo", "apiKey": "**********", "tags": ["b", "c"]}
    assert "hunter2" not in out + err
    assert err == "warning: unheardOf: there is no such key (kubesphere.yaml, line 5)\n"


async def test_a_flag_may_be_short_for_a_setting(program):
    status, out, _ = await run_to_end(program, "check-config", "--title", "x=y", "--listen", "[::1]:1")
    assert status == 0
    assert yaml.safe_load(out)["demo"]["title"] == "x=y"
    assert yaml.safe_load(out)["server"]["listen"] == "[::1]:1"
    _, out, _ = await run_to_end(program, "--help")
    assert "short for --set demo.title" in out


async def test_an_address_file_that_cannot_be_written_is_said_in_one_line(program):
    flags = ("--listen", "127.0.0.1:0", "--address-file", "/nowhere/x")
    status, _, err = await run_to_end(program, *flags)
    assert status == 1
    assert err.splitlines()[-1] == "ks-demo: cannot write /nowhere/x: No such file or directory"
    assert "Traceback" not in err


async def test_without_a_file_the_defaults_hold_and_a_warning_says_so(program):
    status, out, err = await run_to_end(program, "check-config")
    assert status == 0
    assert "no configuration file" in err
    assert "listen: 0.0.0.0:9090" in out


async def test_the_openapi_document_needs_no_back_end(program):
    status, out, _ = await run_to_end(program, "openapi")
    assert status == 0
    document = json.loads(out)
    assert document["openapi"] == "3.1.0"
    assert document["paths"]["/slow"]["get"]["summary"] == "Answers after a while, with its process."


async def test_help_shows_examples_and_version(program):
    status, out, _ = await run_to_end(program, "--help")
    assert status == 0
    assert "examples:" in out
    assert "check-config" in out
    status, out, _ = await run_to_end(program, "--version")
    assert (status, out.split()[0]) == (0, "ks-demo")


async def test_an_unknown_command_or_flag_is_refused(program):
    for argv in (["frobnicate"], ["--frobnicate"]):
        status, _, err = await run_to_end(program, *argv)
        assert status == 2
        assert "usage:" in err
