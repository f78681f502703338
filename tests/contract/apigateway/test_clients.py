"""Clients that people use, as they are: curl, the Kubernetes client for Python, a WebSocket library."""

import asyncio
import hashlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import websockets
from kubernetes import client, watch

from harness.browser import page_of_a_browser
from harness.gateway import GatewayUnderTest

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2/x"
PROTOCOLS: list[Any] = ["v4.channel.k8s.io"]
TERMINAL = "/kapis/tenant.kubesphere.io/v1alpha2/terminal"


async def curl(*arguments: str, stdin: bytes | None = None) -> bytes:
    """What curl answers; fails with what it complains of."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("there is no curl")
    process = await asyncio.create_subprocess_exec(
        program, "--silent", "--show-error", "--fail-with-body", "--max-time", "120", *arguments,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, complaint = await process.communicate(stdin)
    assert process.returncode == 0, complaint.decode() + out.decode()
    return out


async def test_curl_speaks_http_1_0(gateway: GatewayUnderTest, alice: str) -> None:
    url = f"{gateway.service.url}{TENANT}"
    out = await curl("--http1.0", "-H", f"Authorization: Bearer {alice}", url, url)
    assert out.count(b'"method"') == 2
    streamed = await curl(
        "--http1.0", "-H", f"Authorization: Bearer {alice}", f"{url}?do=stream&bytes=100000&chunked"
    )
    assert len(streamed) == 100_000


async def test_curl_uploads_what_it_does_not_know_the_length_of(
    gateway: GatewayUnderTest, alice: str
) -> None:
    body = bytes(range(256)) * 4096
    out = await curl(
        "-H", f"Authorization: Bearer {alice}", "-H", "Transfer-Encoding: chunked", "-H",
        "Expect: 100-continue", "--upload-file", "-", f"{gateway.service.url}{TENANT}", stdin=body,
    )  # fmt: skip
    told = json.loads(out)
    assert (told["length"], told["digest"]) == (len(body), hashlib.sha256(body).hexdigest())


@pytest.mark.kubernetes
async def test_the_kubernetes_client_for_python_lists_changes_and_watches(
    gateway: GatewayUnderTest, admin: str
) -> None:
    configuration = client.Configuration()
    configuration.host = gateway.service.url
    configuration.api_key = {"authorization": f"Bearer {admin}"}
    core = client.CoreV1Api(client.ApiClient(configuration))
    name = "agw-python-client"
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data={"a": "1"})

    def use() -> list[str]:
        created: Any = core.create_namespaced_config_map("default", body)
        try:
            core.patch_namespaced_config_map(name, "default", {"data": {"a": "2"}})
            seen: list[str] = []
            events: Any = watch.Watch().stream(
                core.list_namespaced_config_map, "default", field_selector=f"metadata.name={name}",
                resource_version=created.metadata.resource_version, timeout_seconds=120,
            )  # fmt: skip
            for event in events:
                seen.append(event["type"])
                if event["type"] == "MODIFIED":
                    core.delete_namespaced_config_map(name, "default")
                if event["type"] == "DELETED":
                    break
            return seen
        except BaseException:
            core.delete_namespaced_config_map(name, "default")
            raise

    assert await asyncio.to_thread(use) == ["MODIFIED", "DELETED"]


@pytest_asyncio.fixture(scope="module")
async def echo(start_gateway: Any) -> AsyncIterator[GatewayUnderTest]:
    """A gateway before a WebSocket server that echoes."""

    async def answer(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    async with websockets.serve(answer, "127.0.0.1", 0, subprotocols=PROTOCOLS) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with start_gateway(upstreams={"apiserver": f"http://127.0.0.1:{port}"}) as gateway:
            yield gateway


async def test_a_websocket_carries_messages_both_ways(echo: GatewayUnderTest) -> None:
    token = await echo.sign_in("agw-alice")
    host = f"127.0.0.1:{echo.service.port}"
    address = f"ws://{host}{TERMINAL}"

    def connected(url: str = address, **options: Any) -> Any:
        return websockets.connect(url, subprotocols=PROTOCOLS, **options)

    async with connected(f"{address}?token={token}") as socket:
        assert socket.subprotocol == "v4.channel.k8s.io"
        for message in ("hello", b"\x00\xff" * 100_000):
            await socket.send(message)
            assert await socket.recv() == message
        await (await socket.ping())
    cookie = {"Cookie": f"token={token}"}
    async with connected(additional_headers=cookie, origin=f"http://{host}") as socket:
        await socket.send("again")
        assert await socket.recv() == "again"
    for status, options in (
        (403, {"additional_headers": cookie, "origin": "https://evil.example"}),
        (401, {}),
    ):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await connected(**options)
        assert refused.value.response.status_code == status


TALK = """
([address, message]) => new Promise((resolve) => {
  const socket = new WebSocket(address, ["v4.channel.k8s.io"]);
  socket.onopen = () => socket.send(message);
  socket.onmessage = (event) => { resolve(`${socket.protocol} ${event.data}`); socket.close(); };
  socket.onclose = (event) => resolve(`closed ${event.code}`);
})
"""
"""A page's own code: opens a WebSocket, says `message`, and gives what it hears."""


async def test_a_page_in_a_browser_opens_a_websocket_with_its_cookie(echo: GatewayUnderTest) -> None:
    token = await echo.sign_in("agw-alice")
    own = echo.service.url
    address = own.replace("http:", "ws:") + TERMINAL
    async with page_of_a_browser() as page:
        await page.goto(f"{own}/healthz")
        assert await page.evaluate(TALK, [address, "hello"]) == "closed 1006", "it has not signed in"
        foreign = own.replace("127.0.0.1", "localhost")
        await page.context.add_cookies(
            [{"name": "token", "value": token, "url": url} for url in (own, foreign)]
        )
        large = "hello" * 100_000
        assert await page.evaluate(TALK, [address, large]) == f"v4.channel.k8s.io {large}"
        await page.goto(f"{foreign}/healthz")
        assert await page.evaluate(TALK, [address, "hello"]) == "closed 1006", "it is another origin"
