"""kubectl through the gateway: reads, writes, a watch, and streams into a real pod."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.platform import Client, Platform
from harness.waiting import eventually

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: default}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: {image}
      imagePullPolicy: IfNotPresent
      command: [sh, -c, "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done"]
"""


@pytest.fixture
def pod(platform: Platform, admin: Client, unique: str) -> Iterator[str]:
    """A pod that writes a line five times a second, running on the local node."""
    name = f"pod-{unique}"
    manifest = POD.format(name=name, image=platform.env["KS_TEST_IMAGE"])
    applied = platform.kubectl("apply", "-f", "-", token=admin.token, stdin=manifest)
    assert applied.returncode == 0, applied.stderr
    ready = platform.kubectl(
        "wait", "--for=condition=Ready", f"pod/{name}", "--timeout=90s", token=admin.token, timeout=100
    )
    assert ready.returncode == 0, (
        ready.stderr + platform.kubectl("describe", "pod", name, token=admin.token).stdout
    )
    yield name
    platform.kubectl("delete", "pod", name, "--wait=false", token=admin.token)


def test_get_answers_as_the_cluster_does(platform: Platform, admin: Client) -> None:
    namespaces = platform.kubectl("get", "namespaces", "-o", "name", token=admin.token)
    assert namespaces.returncode == 0, namespaces.stderr
    assert "namespace/kubesphere-system" in namespaces.stdout.split()


def test_apply_creates_and_then_changes_an_object(platform: Platform, admin: Client, unique: str) -> None:
    manifest = "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {0}}}, data: {{colour: {1}}}}}"
    first = platform.kubectl("apply", "-f", "-", token=admin.token, stdin=manifest.format(unique, "red"))
    assert "created" in first.stdout, first.stderr
    second = platform.kubectl("apply", "-f", "-", token=admin.token, stdin=manifest.format(unique, "blue"))
    assert "configured" in second.stdout, second.stderr
    shown = platform.kubectl("get", "configmap", unique, "-o", "jsonpath={.data.colour}", token=admin.token)
    assert shown.stdout == "blue"
    platform.kubectl("delete", "configmap", unique, token=admin.token)


def test_server_side_apply_keeps_the_fields_of_two_owners(
    platform: Platform, admin: Client, unique: str
) -> None:
    manifest = "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {0}}}, data: {{{1}}}}}"

    def apply(owner: str, data: str) -> subprocess.CompletedProcess[str]:
        return platform.kubectl(
            *("apply", "--server-side", "--field-manager", owner, "-f", "-"),
            token=admin.token,
            stdin=manifest.format(unique, data),
        )

    assert "serverside-applied" in apply("one", "a: '1'").stdout
    assert "serverside-applied" in apply("two", "b: '2'").stdout
    shown = platform.kubectl("get", "configmap", unique, "-o", "jsonpath={.data}", token=admin.token)
    assert json.loads(shown.stdout) == {"a": "1", "b": "2"}
    contested = apply("two", "a: '3'")
    assert contested.returncode != 0
    assert "conflict" in contested.stderr
    platform.kubectl("delete", "configmap", unique, token=admin.token)


async def test_a_watch_shows_a_change_while_it_is_open(
    platform: Platform, admin: Client, unique: str
) -> None:
    process = await platform.start_kubectl(
        *("get", "configmaps", "--watch", "-o", "name"),
        *("--field-selector", f"metadata.name={unique}"),
        token=admin.token,
    )
    try:
        await asyncio.sleep(1)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": unique}}
        assert (await admin.post("/api/v1/namespaces/default/configmaps", body)).status == 201
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), timeout=20)
        assert line.decode().strip() == f"configmap/{unique}"
    finally:
        process.terminate()
        await process.wait()
        await admin.delete(f"/api/v1/namespaces/default/configmaps/{unique}")


@pytest.mark.node
async def test_logs_follow_a_running_pod(platform: Platform, admin: Client, pod: str) -> None:
    process = await platform.start_kubectl("logs", "-f", pod, token=admin.token)
    try:
        assert process.stdout is not None
        lines = [(await asyncio.wait_for(process.stdout.readline(), timeout=20)).decode() for _ in range(20)]
        assert [int(re.sub(r"\D", "", line)) for line in lines] == list(range(1, 21))
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.node
def test_exec_runs_a_command_and_reports_its_exit_code(platform: Platform, admin: Client, pod: str) -> None:
    done = platform.kubectl(
        "exec", "-i", pod, "--", "sh", "-c", "cat; exit 7", token=admin.token, stdin="hello\n"
    )
    assert done.stdout == "hello\n"
    assert done.returncode == 7


@pytest.mark.node
def test_exec_gives_an_interactive_terminal(platform: Platform, admin: Client, pod: str) -> None:
    controller, terminal = pty.openpty()
    command = platform.kubectl_command("exec", "-it", pod, "--", "sh", token=admin.token)
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        env=platform.kubectl_environment,
    )  # fmt: skip
    os.close(terminal)
    try:
        os.write(controller, b"test -t 0 && echo on-a-$((40 + 2))-tty\n")
        assert "on-a-42-tty" in read_until(controller, "on-a-42-tty", timeout=20)
        os.write(controller, b"exit 0\n")
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        os.close(controller)


def read_until(descriptor: int, expected: str, timeout: float) -> str:
    """What a terminal shows, up to the first moment that `expected` is in it."""
    shown, deadline = "", time.monotonic() + timeout
    while expected not in shown and time.monotonic() < deadline:
        readable, _, _ = select.select([descriptor], [], [], 0.5)
        if readable:
            shown += os.read(descriptor, 65536).decode(errors="replace")
    return shown


@pytest.mark.node
def test_cp_takes_a_file_there_and_back(platform: Platform, admin: Client, pod: str, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(3_000_000))
    for source, target in ((str(there), f"{pod}:/tmp/file"), (f"{pod}:/tmp/file", str(back))):
        copied = platform.kubectl("cp", source, target, token=admin.token, timeout=120)
        assert copied.returncode == 0, copied.stderr
    assert back.read_bytes() == there.read_bytes()


@pytest.mark.node
async def test_port_forward_carries_many_connections(platform: Platform, admin: Client, pod: str) -> None:
    """The pod's own server answers each connection with what it hears."""
    server = "nc -ll -p 7070 -e cat </dev/null >/dev/null 2>&1 &"
    serving = platform.kubectl("exec", pod, "--", "sh", "-c", server, token=admin.token)
    assert serving.returncode == 0, serving.stderr
    process = await platform.start_kubectl("port-forward", pod, ":7070", token=admin.token)
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), timeout=60)).decode()
        port = int(re.findall(r"127\.0\.0\.1:(\d+)", line)[0])

        async def talk(number: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            said = f"{number} ".encode() * 20_000
            writer.write(said)
            assert await asyncio.wait_for(reader.readexactly(len(said)), timeout=60) == said
            writer.close()

        async def listening() -> None:
            try:
                await talk(0)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                raise AssertionError("it does not listen yet") from error

        await eventually(listening, timeout=60)
        await asyncio.gather(*(talk(number) for number in range(5)))
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.node
async def test_somebody_without_rights_gets_no_terminal(
    platform: Platform, pod: str, new_person, unique: str
) -> None:
    guest = await new_person(f"guest-{unique}")
    refused = await asyncio.to_thread(platform.kubectl, "exec", pod, "--", "id", token=guest.token)
    assert refused.returncode != 0
    assert "forbidden" in refused.stderr.lower()


async def test_a_token_that_is_not_a_session_is_told_so(platform: Platform) -> None:
    async def refused() -> None:
        answer = platform.kubectl("get", "pods", token="not-a-token")
        assert answer.returncode != 0
        assert "Unauthorized" in answer.stderr or "must be logged in" in answer.stderr

    await eventually(refused, timeout=10)
