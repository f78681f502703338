"""How long the platform and each service take to be ready, and what a service weighs when idle.

The baseline of the services is the smallest aiohttp application, started and measured in the same run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from devstack.blueprint import Blueprint
from devstack.cluster import cluster_of
from devstack.ports import LOOPBACK, free_port
from devstack.settings import Ports, Settings, remembered
from devstack.stack import Stack
from harness.platform import Platform
from harness.tables import print_table

BASELINE = """
import sys
from aiohttp import web

async def ready(request):
    return web.json_response({"status": "ok"})

application = web.Application()
application.router.add_get("/readyz", ready)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
IDLE_SECONDS = 3.0
V2_1_1_IDLE_MIB = {"apigateway": 53, "account": 56, "apiserver": 63, "controller-manager": 69}
"""Resident, idle, of v2.1.1 on two cores of the same kind; it is no part of this run."""


def seconds_and_mib(command: list[str], ready_url: str, directory: Path) -> tuple[float, float]:
    """Start `command`; seconds until `ready_url` answers 200, then its resident MiB once idle."""
    started = time.monotonic()
    log = (directory / "log").open("ab")
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        while not answers_ok(ready_url):
            assert process.poll() is None, f"{command[0]} ended: {(directory / 'log').read_text()[-2000:]}"
            time.sleep(0.01)
        seconds = time.monotonic() - started
        time.sleep(IDLE_SECONDS)
        return seconds, psutil.Process(process.pid).memory_info().rss / 2**20
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture(scope="module")
def blueprint(platform: Platform) -> Blueprint:
    """The programs of a platform that is up."""
    settings = remembered(platform.state)
    return Blueprint(settings, cluster_of(settings))


@pytest.mark.timeout(600)
def test_the_platform_is_ready(tmp_path: Path) -> None:
    stack = Stack(Settings(state=tmp_path / "state", ports=Ports.free(), node=os.geteuid() == 0))
    durations = []
    try:
        for _ in range(2):
            started = time.monotonic()
            stack.up()
            durations.append(time.monotonic() - started)
    finally:
        started = time.monotonic()
        stack.down()
        durations.append(time.monotonic() - started)
    first, second, down = durations
    print_table(
        "the whole platform, binaries cached",
        ("", "seconds", "against the first start"),
        [
            ("first start, from nothing to ready", f"{first:.1f}", "1.00"),
            ("second start, everything runs", f"{second:.1f}", f"{second / first:.2f}"),
            ("stop, nothing left", f"{down:.1f}", f"{down / first:.2f}"),
        ],
    )


@pytest.mark.timeout(600)
def test_each_service_is_ready(blueprint: Blueprint, tmp_path: Path) -> None:
    port = free_port()
    script = tmp_path / "baseline.py"
    script.write_text(BASELINE)
    base = seconds_and_mib(
        [sys.executable, str(script), str(port)], f"http://{LOOPBACK}:{port}/readyz", tmp_path
    )
    rows = [("aiohttp alone", f"{base[0]:.2f}", "1.0", f"{base[1]:.0f}", "1.0", "-")]
    for service in blueprint.services:
        service.port = free_port()
        if service.ops_port:
            service.ops_port = free_port()
            listeners = {
                "gateway.opsListen": f"{LOOPBACK}:{service.ops_port}",
                "gateway.tlsListen": f"{LOOPBACK}:{free_port()}",
            }
            service.overrides = {**service.overrides, **listeners}
        seconds, mib = seconds_and_mib(service.command(), f"{service.ops_url}/readyz", tmp_path)
        recorded = V2_1_1_IDLE_MIB.get(service.name)
        ratio = f"{mib / recorded:.2f}" if recorded else "-"
        figures = (f"{seconds:.2f}", f"{seconds / base[0]:.1f}", f"{mib:.0f}", f"{mib / base[1]:.1f}", ratio)
        rows.append((f"ks-{service.name}", *figures))
    header = (
        "service",
        "s to ready",
        "against aiohttp",
        "MiB idle",
        "against aiohttp",
        "against v2.1.1, recorded",
    )
    print_table("each service, its back ends up", header, rows)
