"""Several servers of one upstream, and upstreams with TLS."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from devstack.ports import free_port
from harness.gateway import GatewayUnderTest
from harness.waiting import eventually

PUBLIC = "/kapis/v1alpha1/configz"


class Named:
    """A server that says its name, and can be stopped."""

    def __init__(self, name: str, tls: ssl.SSLContext | None = None, *, pause: float = 0) -> None:
        """`pause` is what an answer takes, in seconds."""
        self.name = name
        self._pause = pause
        self.port = free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)

    async def stop(self) -> None:
        """Refuses connections, and breaks those there are."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.name)}\r\n\r\n{self.name}".encode()
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(self._pause)
                writer.write(answer)
        writer.close()


@contextlib.asynccontextmanager
async def running(*servers: Named) -> AsyncIterator[list[str]]:
    """Their addresses, while they run."""
    for server in servers:
        await server.start()
    yield [server.url for server in servers]
    for server in servers:
        await server.stop()


async def told(gateway: GatewayUnderTest, times: int, *, method: str = "GET") -> Counter[str]:
    """How many of so many requests each server answered; all are answered."""
    found: Counter[str] = Counter()
    for _ in range(times):
        answer = await gateway.get(PUBLIC, method=method)
        assert answer.status == 200, answer
        found[answer.body.decode()] += 1
    return found


async def test_servers_of_an_upstream_take_turns(start_gateway: Any) -> None:
    async with (
        running(Named("a"), Named("b"), Named("c")) as urls,
        start_gateway(upstreams={"apiserver": urls}) as gateway,
    ):
        await told(gateway, 6)
        assert await told(gateway, 30) == {"a": 10, "b": 10, "c": 10}


async def test_a_server_that_is_gone_costs_no_request_and_comes_back(start_gateway: Any) -> None:
    a, b = Named("a"), Named("b")
    async with (
        running(a, b) as urls,
        start_gateway(upstreams={"apiserver": urls}, backends={"ejection": "1s"}) as gateway,
    ):
        await told(gateway, 4)
        await a.stop()
        assert await told(gateway, 20) == {"b": 20}
        await a.start()

        async def both() -> None:
            assert set(await told(gateway, 4)) == {"a", "b"}

        await eventually(both, timeout=60)


async def test_requests_that_wait_are_given_the_connections_that_others_free(start_gateway: Any) -> None:
    async with (
        running(Named("a", pause=0.1)) as urls,
        start_gateway(
            upstreams={"apiserver": urls}, backends={"connections": 2, "queue": 30, "connectTimeout": "60s"}
        ) as gateway,
    ):
        answers = await asyncio.gather(*(gateway.get(PUBLIC) for _ in range(20)))
        assert [answer.status for answer in answers] == [200] * 20
        assert await told(gateway, 3) == {"a": 3}


async def test_a_server_that_does_not_even_refuse_is_passed_over(start_gateway: Any) -> None:
    """Its queue of connections is full, so that the kernel answers nobody."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        silent = f"http://127.0.0.1:{address[1]}"
        async with (
            running(Named("b")) as urls,
            start_gateway(
                upstreams={"apiserver": [silent, *urls]}, backends={"connectTimeout": "2s", "ejection": "30s"}
            ) as gateway,
        ):
            loop = asyncio.get_running_loop()
            begin = loop.time()
            assert await told(gateway, 20) == {"b": 20}
            assert loop.time() - begin < 20, "each of ten would have waited for a second"
        for each in waiting:
            each.close()


def certificate(directory: Path) -> ssl.SSLContext:
    """Shows a certificate for 127.0.0.1 that its own authority, `directory`/tls.crt, has signed."""
    crt, key = directory / "tls.crt", directory / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", crt, "-days", "2", "-subj", "/CN=u",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(crt, key)
    return shown


async def test_an_upstream_with_tls_is_verified(start_gateway: Any, tmp_path: Path) -> None:
    async with running(Named("secret", certificate(tmp_path))) as urls:
        async with start_gateway(upstreams={"apiserver": urls}) as gateway:
            answer = await gateway.get(PUBLIC)
            assert answer.status == 503
            assert "certificate" in answer.json["message"].lower()
        file = str(tmp_path / "tls.crt")
        async with start_gateway(upstreams={"apiserver": urls}, upstreamsCaFile=file) as gateway:
            assert await told(gateway, 5) == {"secret": 5}
