"""Terminals and logs of containers through the gateway, as the console opens them."""

from __future__ import annotations

import aiohttp
import pytest

from harness.platform import Client, Platform
from harness.terminal import terminal_at
from harness.waiting import eventually

ROUTE = "/kapis/terminal.kubesphere.io/v1alpha2/namespaces/default/pods"


@pytest.fixture
async def pod(platform: Platform, admin: Client, unique: str):
    """A pod that runs on the local node."""
    name = f"pod-{unique}"
    container = {
        "name": "main",
        "image": platform.env["KS_TEST_IMAGE"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "echo here I am; sleep 3600"],
    }
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    created = await admin.post("/api/v1/namespaces/default/pods", body)
    assert created.status == 201, created.text

    async def runs() -> None:
        found = await admin.get(f"/api/v1/namespaces/default/pods/{name}")
        assert found.json["status"].get("phase") == "Running"

    await eventually(runs, timeout=90)
    yield name
    await admin.delete(f"/api/v1/namespaces/default/pods/{name}")


async def test_a_terminal_opens_with_the_cookie_and_shows_what_is_typed(
    platform: Platform, admin: Client, pod: str
) -> None:
    headers = {"Cookie": f"token={admin.token}", "Origin": platform.gateway_url}
    async with terminal_at(f"{platform.gateway_url}{ROUTE}/{pod}", headers) as shell:
        await shell.type("echo wor''king\n")
        await shell.shows("working")
        await shell.type("exit\n")
        assert await shell.ends() == (1000, "Process exited")


async def test_a_terminal_that_another_site_opens_is_refused(
    platform: Platform, admin: Client, pod: str
) -> None:
    headers = {"Cookie": f"token={admin.token}", "Origin": "https://elsewhere.example.com"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with terminal_at(f"{platform.gateway_url}{ROUTE}/{pod}", headers):
            pass
    assert refused.value.status == 403


async def test_a_log_is_read_through_the_gateway(admin: Client, pod: str) -> None:
    async def written() -> None:
        answer = await admin.get(f"{ROUTE}/{pod}/log?follow=false")
        assert (answer.status, answer.text) == (200, "here I am\n")

    await eventually(written, timeout=30)
