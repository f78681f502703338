"""Upstreams that answer what is no HTTP, too much, too little, or unasked."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from harness.gateway import GatewayUnderTest
from harness.waiting import eventually

PUBLIC = "/kapis/v1alpha1/configz"
REQUEST = f"GET {PUBLIC} HTTP/1.1\r\nHost: gateway\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
FINE = OK + b"Content-Length: 4\r\n\r\nfine"


class Babbler:
    """Answers each request with `answer`, then ends the connection unless `stays`; `unasked` is said a little
    after that. `ended` counts connections that the gateway has ended.
    """

    def __init__(self) -> None:
        self.answer = FINE
        self.unasked = b""
        self.stays = False
        self.ended = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self.answer)
                await writer.drain()
                if not self.stays:
                    break
                if self.unasked:
                    await asyncio.sleep(0.1)
                    writer.write(self.unasked)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.ended += 1
        finally:
            writer.close()


@pytest_asyncio.fixture(scope="module")
async def behind(start_gateway: Any) -> AsyncIterator[tuple[GatewayUnderTest, Babbler]]:
    """A gateway before one."""
    babbler = Babbler()
    server = await asyncio.start_server(babbler.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    limits = {"firstByteTimeout": "2s", "answerTimeout": "2s", "connectTimeout": "5s"}
    async with server, start_gateway(upstreams={"apiserver": url}, backends=limits) as gateway:
        yield gateway, babbler
        assert not gateway.failures


@pytest.fixture
def babbler(behind: tuple[GatewayUnderTest, Babbler]) -> Babbler:
    """As it is in the beginning."""
    Babbler.__init__(behind[1])
    return behind[1]


@pytest.mark.parametrize(
    "answer",
    [
        b"what?\r\n\r\n",
        b"\x00" * 1000,
        b"\xff\xfe\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 0 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"",
        b"HTTP/1.1 200",
        OK,
        OK + b"Content-Length: 4\r\n",
        OK + b"Content-Length : 4\r\n\r\nfine",
        OK + b"Content-Length: four\r\n\r\nfine",
        OK + b"Content-Length: -4\r\n\r\nfine",
        OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nfines",
        OK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n",
        OK + b"X-A: a\x00b\r\nContent-Length: 4\r\n\r\nfine",
        OK + b"X A: b\r\nContent-Length: 4\r\n\r\nfine",
        OK + b"X-A: " + b"b" * 600_000 + b"\r\n\r\n",
        OK + b"".join(b"X-%d: b\r\n" % number for number in range(30_000)),
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nraw",
    ],
    ids=lambda answer: repr(answer[:40]),
)
async def test_what_is_no_answer_is_a_bad_gateway(
    behind: tuple[GatewayUnderTest, Babbler], babbler: Babbler, answer: bytes
) -> None:
    gateway, _ = behind
    babbler.answer = answer
    async with gateway.wire() as wire:
        await wire.send(REQUEST)
        refused = await wire.answer()
        assert refused.status == 502, refused
        assert refused.json["message"].startswith("apiserver ")
        babbler.answer = FINE
        await wire.send(REQUEST)
        assert (await wire.answer()).body == b"fine", "the client's own connection goes on"


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 40\r\n\r\nfine",
        OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\nwhat?\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nfine",
    ],
    ids=lambda answer: repr(answer[17:60]),
)
async def test_an_answer_that_breaks_off_is_seen_as_broken(
    behind: tuple[GatewayUnderTest, Babbler], babbler: Babbler, answer: bytes
) -> None:
    gateway, _ = behind
    babbler.answer = answer
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await gateway.get(PUBLIC)
    babbler.answer = FINE
    assert (await gateway.get(PUBLIC)).body == b"fine"


async def test_a_second_answer_to_one_request_reaches_nobody(
    behind: tuple[GatewayUnderTest, Babbler], babbler: Babbler
) -> None:
    gateway, _ = behind
    babbler.stays = True
    babbler.answer = FINE + OK + b"Content-Length: 4\r\n\r\nevil"
    async with gateway.wire() as wire:
        for _ in range(20):
            await wire.send(REQUEST)
            assert (await wire.answer()).body == b"fine"


async def test_what_is_said_unasked_is_nobodys_answer(
    behind: tuple[GatewayUnderTest, Babbler], babbler: Babbler
) -> None:
    gateway, _ = behind
    babbler.stays = True
    for _ in range(5):
        babbler.unasked = OK + b"Content-Length: 4\r\n\r\nevil"
        ended = babbler.ended
        assert (await gateway.get(PUBLIC)).body == b"fine"

        def dropped(before: int = ended) -> None:
            assert babbler.ended > before

        await eventually(dropped, timeout=60)
        babbler.unasked = b""
        assert (await gateway.get(PUBLIC)).body == b"fine"


async def test_endless_interim_answers_end(
    behind: tuple[GatewayUnderTest, Babbler], babbler: Babbler
) -> None:
    gateway, _ = behind
    babbler.answer = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 5
    babbler.stays = True
    async with gateway.wire() as wire:
        await wire.send(REQUEST)
        for _ in range(5):
            assert (await wire.head())[0] == 103
        assert (await wire.answer()).status == 504
