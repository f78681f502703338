"""What breaks behind the gateway, and clients that misbehave."""

import asyncio
from typing import Any

import psutil
import pytest
import pytest_asyncio

from harness.gateway import GatewayUnderTest
from harness.waiting import eventually

PATH = "/kapis/tenant.kubesphere.io/v1alpha2/x"
PUBLIC = "/kapis/v1alpha1/configz"


@pytest_asyncio.fixture(scope="module")
async def fast(start_gateway: Any) -> Any:
    """A gateway with short limits."""
    clients = {
        "headerTimeout": "1s", "bodyTimeout": "1s", "idleTimeout": "1s", "writeTimeout": "1s",
        "headerBytes": 2048, "headers": 16, "bodyBytes": 1000, "connections": 20,
    }  # fmt: skip
    backends = {
        "firstByteTimeout": "1s",
        "answerTimeout": "1s",
        "connectTimeout": "1s",
        "connections": 2,
        "queue": 1,
    }
    async with start_gateway(clients=clients, backends=backends) as gateway:
        yield gateway


async def test_an_upstream_that_is_down_is_named(start_gateway: Any) -> None:
    async with start_gateway() as gateway:
        await gateway.upstream.stop()
        answer = await gateway.get(PUBLIC)
        assert answer.status == 503
        assert answer.json["message"].startswith("apiserver is not available: 127.0.0.1:")
        await gateway.upstream.start()
        assert (await gateway.get(PUBLIC)).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_an_upstream_that_ends_without_an_answer_is_a_bad_gateway(
    gateway: GatewayUnderTest, alice: str, method: str
) -> None:
    answer = await gateway.get(f"{PATH}?do=close", token=alice, method=method)
    assert answer.status == 502
    assert answer.json["message"].startswith("apiserver closed the connection")


async def test_a_get_on_a_connection_that_was_lost_is_sent_again(
    gateway: GatewayUnderTest, alice: str
) -> None:
    """The upstream drops kept connections at the very moment when the next request comes."""
    for _ in range(20):
        assert (await gateway.get(PATH, token=alice)).status == 200
        gateway.upstream.drop()
        assert (await gateway.get(PATH, token=alice)).status == 200


async def test_a_post_is_never_sent_twice(gateway: GatewayUnderTest, alice: str) -> None:
    await gateway.get(PATH, token=alice)
    before = len(gateway.upstream.received)
    answer = await gateway.get(f"{PATH}?do=close&once", token=alice, method="POST")
    assert answer.status == 502
    assert len(gateway.upstream.received) == before + 1


async def test_a_slow_upstream_is_a_timeout(fast: GatewayUnderTest) -> None:
    token = await fast.sign_in("agw-alice")
    answer = await fast.get(f"{PATH}?do=hang", token=token)
    assert answer.status == 504
    assert answer.json["reason"] == "Timeout"


async def test_a_watch_may_be_silent(fast: GatewayUnderTest) -> None:
    token = await fast.sign_in("agw-alice")
    fast.upstream.release.clear()
    async with fast.wire() as wire:
        await wire.send(
            f"GET {PATH}?do=events&watch=true HTTP/1.1\r\nHost: gateway\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        await wire.head()
        assert await wire.chunk() == b"first\n"
        await asyncio.sleep(2.5)
        fast.upstream.release.set()
        assert await wire.chunk() == b"second\n"


async def test_an_answer_that_stalls_is_cut(fast: GatewayUnderTest) -> None:
    token = await fast.sign_in("agw-alice")
    fast.upstream.release.clear()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await fast.get(f"{PATH}?do=events", token=token)


@pytest.mark.parametrize("beginning", ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX-A: "])
async def test_headers_that_never_end_are_cut(fast: GatewayUnderTest, beginning: str) -> None:
    async with fast.wire() as wire:
        await wire.send(beginning)
        assert (await wire.answer()).status == 408
        assert await wire.ended()


async def test_headers_that_trickle_are_cut(fast: GatewayUnderTest) -> None:
    async with fast.wire() as wire:

        async def trickle() -> None:
            await wire.send("GET / HTTP/1.1\r\n")
            while True:
                await wire.send("X-A: b\r\n")
                await asyncio.sleep(0.2)

        trickling = asyncio.create_task(trickle())
        try:
            assert (await asyncio.wait_for(wire.answer(), 20)).status == 408
        finally:
            trickling.cancel()


async def test_a_connection_without_a_request_is_closed(fast: GatewayUnderTest) -> None:
    async with fast.wire() as wire:
        assert await asyncio.wait_for(wire.ended(), 20)


async def test_a_kept_connection_is_closed_in_the_end(fast: GatewayUnderTest) -> None:
    async with fast.wire() as wire:
        await wire.send(f"GET {PUBLIC} HTTP/1.1\r\nHost: gateway\r\n\r\n")
        assert (await wire.answer()).status == 200
        assert await asyncio.wait_for(wire.ended(), 20)


async def test_a_body_that_never_comes_is_a_timeout(fast: GatewayUnderTest) -> None:
    token = await fast.sign_in("agw-alice")
    async with fast.wire() as wire:
        await wire.send(
            f"POST {PATH} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
            "Content-Length: 10\r\n\r\nabc"
        )
        assert (await wire.answer()).status == 408


@pytest.mark.parametrize(
    "fields", ["X-A: " + "b" * 3000, "\r\n".join(f"X-{n}: b" for n in range(40)), "X" * 5000 + ": a"]
)
async def test_headers_past_the_limit_are_refused(fast: GatewayUnderTest, fields: str) -> None:
    answer = await fast.ask(f"GET {PUBLIC} HTTP/1.1\r\nHost: gateway\r\n{fields}\r\n\r\n")
    assert answer.status == 431


async def test_a_header_without_end_is_refused_before_it_ends(fast: GatewayUnderTest) -> None:
    async with fast.wire() as wire:
        await wire.send("GET / HTTP/1.1\r\nHost: x\r\nX-A: ", "b" * 10_000)
        assert (await wire.answer()).status == 431


@pytest.mark.parametrize("framing", ["Content-Length: 5000", "Transfer-Encoding: chunked"])
async def test_a_body_past_the_limit_is_refused(fast: GatewayUnderTest, framing: str) -> None:
    body = b"x" * 5000 if "Length" in framing else b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n"
    async with fast.wire() as wire:
        await wire.send(
            f"POST /kapis/iam.kubesphere.io/v1alpha2/login HTTP/1.1\r\nHost: gateway\r\n{framing}\r\n\r\n",
            body,
        )
        assert (await wire.answer()).status == 413


async def test_one_request_too_many_for_an_upstream_is_told_so(fast: GatewayUnderTest) -> None:
    token = await fast.sign_in("agw-alice")
    path = f"{PATH}?do=hang&watch=true"
    request = f"GET {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n\r\n"
    wires = [await fast.connect() for _ in range(4)]
    for wire in wires:
        await wire.send(request)
    answers = [asyncio.create_task(wire.answer()) for wire in wires]
    done, pending = await asyncio.wait(answers, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    assert all(each.result().status == 503 for each in done)
    assert all(each.result().headers["retry-after"] for each in done)
    for each in pending:
        each.cancel()
    for wire in wires:
        wire.close()

    async def free_again() -> None:
        assert (await fast.get(PATH, token=token)).status == 200

    await eventually(free_again)


async def test_one_client_too_many_is_told_so(fast: GatewayUnderTest) -> None:
    wires = [await fast.connect() for _ in range(30)]
    answers = []
    for wire in wires[20:]:
        answers.append(await wire.answer())
    assert {answer.status for answer in answers} == {503}
    for wire in wires:
        wire.close()


async def test_a_client_that_reads_nothing_is_cut(fast: GatewayUnderTest) -> None:
    token = await fast.sign_in("agw-alice")
    process = psutil.Process(fast.service.pid)
    before = process.memory_info().rss
    async with fast.wire() as wire:
        await wire.send(
            f"GET {PATH}?do=stream&bytes=200000000&watch=1 HTTP/1.1\r\nHost: gateway\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )

        def cut() -> None:
            lines = [line for line in fast.service.log.splitlines() if "bytes=200000000" in line]
            assert any('"aborted":true' in line for line in lines)

        await eventually(cut, timeout=30)
        assert process.memory_info().rss - before < 32 * 1024 * 1024


async def test_random_bytes_break_nothing(gateway: GatewayUnderTest) -> None:
    import random

    chance = random.Random(4)
    seeds = [
        f"GET {PUBLIC} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 5\r\n\r\nhello",
        f"POST {PUBLIC} HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        f"GET {PUBLIC}?token=x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ]

    async def attack() -> None:
        data = bytearray(chance.choice(seeds).encode())
        for _ in range(chance.randint(1, 6)):
            where = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[where] = chance.randrange(256)
                case 1:
                    del data[where : where + chance.randrange(1, 4)]
                case _:
                    data[where:where] = chance.choice(
                        [b"\r\n", b"\x00", b" ", b":", b"%2e", b"\n", b"\xff", b";"]
                    )
        wire = await gateway.connect()
        try:
            await wire.send(bytes(data))
            wire.writer.write_eof()
            await asyncio.wait_for(wire.reader.read(-1), 20)
        except ConnectionError:
            pass
        finally:
            wire.close()

    before = len(gateway.upstream.received)
    for _ in range(100):
        await asyncio.gather(*(attack() for _ in range(20)))
    assert (await gateway.get(PUBLIC)).status == 200
    assert not gateway.failures
    assert all(
        each.target.partition("?")[0] == PUBLIC or "/kapis" in each.target
        for each in gateway.upstream.received[before:]
    )
