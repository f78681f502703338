"""Bodies pass in both directions as they come, whatever their size and framing."""

import asyncio
import hashlib

import psutil
import pytest

from harness.gateway import CHUNK, GatewayUnderTest
from harness.waiting import eventually

PATH = "/kapis/tenant.kubesphere.io/v1alpha2/x"
MEBIBYTE = 1024 * 1024


def head(method: str, query: str, token: str, *headers: str, version: str = "1.1") -> str:
    lines = [
        f"{method} {PATH}{query} HTTP/{version}",
        "Host: gateway",
        f"Authorization: Bearer {token}",
        *headers,
    ]
    return "\r\n".join(lines) + "\r\n\r\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_body_with_a_length_arrives(gateway: GatewayUnderTest, alice: str, method: str) -> None:
    body = b"x" * 300_000
    answer = await gateway.ask(head(method, "", alice, f"Content-Length: {len(body)}"), body)
    assert (answer.json["method"], answer.json["length"]) == (method, len(body))
    assert answer.json["digest"] == hashlib.sha256(body).hexdigest()


async def test_a_chunked_body_arrives_with_its_trailers(gateway: GatewayUnderTest, alice: str) -> None:
    async with gateway.wire() as wire:
        await wire.send(head("POST", "", alice, "Transfer-Encoding: chunked", "Trailer: X-Sum"))
        await wire.send("5\r\nhello\r\n")
        await wire.send("6;ext=1\r\n world\r\n", "0\r\nX-Sum: 42\r\nX-Token-Username: evil\r\n\r\n")
        answer = await wire.answer()
    assert answer.json["length"] == 11
    assert gateway.upstream.received[-1].trailers == [("x-sum", "42")]
    assert dict(answer.json["fields"])["transfer-encoding"] == "chunked"


async def test_a_chunked_answer_arrives_with_its_trailers(gateway: GatewayUnderTest, alice: str) -> None:
    raw = "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
    raw += "3\\r\\nabc\\r\\n0\\r\\nX-Sum: 1\\r\\n\\r\\n"
    answer = await gateway.get(f"{PATH}?do=raw&answer={raw.replace(' ', '%20')}", token=alice)
    assert answer.body == b"abc"
    assert answer.trailers == [("x-sum", "1")]


@pytest.mark.parametrize(
    ("status", "fields", "body"),
    [
        (204, "", ""),
        (304, "Content-Length: 5\\r\\nEtag: a\\r\\n", ""),
        (200, "Content-Length: 0\\r\\n", ""),
    ],
)
async def test_an_answer_without_a_body_ends_and_the_connection_goes_on(
    gateway: GatewayUnderTest, alice: str, status: int, fields: str, body: str
) -> None:
    raw = f"HTTP/1.1 {status} X\\r\\n{fields}\\r\\n".replace(" ", "%20")
    async with gateway.wire() as wire:
        for _ in range(3):
            await wire.send(head("GET", f"?do=raw&answer={raw}", alice))
            answer = await wire.answer()
            assert answer.status == status
            assert answer.body == b""


async def test_head_has_the_headers_of_get_and_no_body(gateway: GatewayUnderTest, alice: str) -> None:
    async with gateway.wire() as wire:
        for _ in range(3):
            await wire.send(head("HEAD", "", alice))
            answer = await wire.answer(to_head=True)
            assert answer.status == 200
            assert int(answer.headers["content-length"]) > 100
        await wire.send(head("GET", "", alice))
        assert (await wire.answer()).json["method"] == "GET"


async def test_an_answer_that_ends_with_its_connection_is_whole(
    gateway: GatewayUnderTest, alice: str
) -> None:
    raw = "HTTP/1.1%20200%20OK\\r\\n\\r\\nto%20the%20end"
    for _ in range(2):
        answer = await gateway.get(f"{PATH}?do=raw&then=close&answer={raw}", token=alice)
        assert answer.body == b"to the end"
        assert answer.headers["transfer-encoding"] == "chunked"


async def test_http_1_0_gets_plain_answers(gateway: GatewayUnderTest, alice: str) -> None:
    async with gateway.wire() as wire:
        await wire.send(head("GET", "?do=stream&bytes=100000&chunked", alice, version="1.0"))
        answer = await wire.answer()
        assert "transfer-encoding" not in answer.headers
        assert len(answer.body) == 100_000
        assert await wire.ended()


async def test_http_1_0_may_keep_its_connection(gateway: GatewayUnderTest, alice: str) -> None:
    async with gateway.wire() as wire:
        for _ in range(3):
            await wire.send(head("GET", "", alice, "Connection: keep-alive", version="1.0"))
            answer = await wire.answer()
            assert answer.headers["connection"] == "keep-alive"
            assert answer.json["method"] == "GET"


async def test_http_1_0_without_a_host_is_served(gateway: GatewayUnderTest) -> None:
    answer = await gateway.ask("GET /kapis/v1alpha1/configz HTTP/1.0\r\n\r\n")
    assert answer.status == 200


async def test_the_client_is_told_to_continue_by_the_upstream(gateway: GatewayUnderTest, alice: str) -> None:
    async with gateway.wire() as wire:
        await wire.send(head("POST", "", alice, "Content-Length: 5", "Expect: 100-continue"))
        assert (await wire.answer()).status == 100
        await wire.send("hello")
        assert (await wire.answer()).json["length"] == 5


async def test_a_refused_client_is_not_told_to_continue(gateway: GatewayUnderTest) -> None:
    async with gateway.wire() as wire:
        await wire.send(head("POST", "", "bad", "Content-Length: 5", "Expect: 100-continue"))
        assert (await wire.answer()).status == 401
        assert await wire.ended()


async def test_another_expectation_fails(gateway: GatewayUnderTest, alice: str) -> None:
    answer = await gateway.ask(head("POST", "", alice, "Content-Length: 0", "Expect: 200-maybe"))
    assert answer.status == 417


async def test_an_answer_that_comes_early_is_seen(gateway: GatewayUnderTest, alice: str) -> None:
    async with gateway.wire() as wire:
        await wire.send(head("POST", "?do=early", alice, f"Content-Length: {10 * MEBIBYTE}"))
        answer = await wire.answer()
        assert (answer.status, answer.body) == (403, b"no")


async def test_a_watch_shows_each_event_at_once(gateway: GatewayUnderTest, alice: str) -> None:
    gateway.upstream.release.clear()
    async with gateway.wire() as wire:
        await wire.send(head("GET", "?do=events&watch=true", alice))
        status, _ = await wire.head()
        assert status == 200
        assert await wire.chunk() == b"first\n"
        gateway.upstream.release.set()
        assert await wire.chunk() == b"second\n"
        assert await wire.chunk() == b""


@pytest.mark.parametrize("chunked", ["", "&chunked"])
async def test_a_large_download_takes_no_memory(gateway: GatewayUnderTest, alice: str, chunked: str) -> None:
    size = 256 * MEBIBYTE
    process = psutil.Process(gateway.service.pid)
    before = process.memory_info().rss
    async with gateway.wire() as wire:
        await wire.send(head("GET", f"?do=stream&bytes={size}{chunked}", alice, version="1.0"))
        await wire.head()
        await asyncio.sleep(0.5)  # the upstream could fill a lot of memory before anybody reads
        got = peak = 0
        while data := await wire.reader.read(MEBIBYTE):
            got += len(data)
            peak = max(peak, process.memory_info().rss)
    assert got == size
    assert peak - before < 32 * MEBIBYTE


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_upload_takes_no_memory(gateway: GatewayUnderTest, alice: str, chunked: bool) -> None:
    block = bytes(CHUNK)
    count = 256 * MEBIBYTE // CHUNK
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {count * CHUNK}"
    piece = b"%x\r\n%b\r\n" % (CHUNK, block) if chunked else block
    process = psutil.Process(gateway.service.pid)
    before = peak = process.memory_info().rss
    async with gateway.wire() as wire:
        await wire.send(head("PUT", "", alice, framing))
        for number in range(count):
            await wire.send(piece)
            if number % 64 == 0:
                peak = max(peak, process.memory_info().rss)
        if chunked:
            await wire.send("0\r\n\r\n")
        answer = await wire.answer()
    assert answer.json["length"] == count * CHUNK
    assert peak - before < 32 * MEBIBYTE


async def test_a_client_that_leaves_ends_its_watch(gateway: GatewayUnderTest, alice: str) -> None:
    gateway.upstream.release.clear()
    wire = await gateway.connect()
    await wire.send(head("GET", "?do=events&watch=1&left", alice))
    await wire.head()
    wire.close()

    def noticed() -> None:
        lines = [line for line in gateway.service.log.splitlines() if "watch=1&left" in line]
        assert any('"aborted":true' in line for line in lines)

    await eventually(noticed)
    gateway.upstream.release.set()


async def test_a_client_that_leaves_ends_the_work_for_it(gateway: GatewayUnderTest, alice: str) -> None:
    for _ in range(3):  # so that no connection kept for later is counted
        await gateway.get(PATH, token=alice)
    kept = gateway.upstream.open
    wire = await gateway.connect()
    await wire.send(head("GET", "?do=hang&then=close", alice))

    def begun() -> None:
        assert gateway.upstream.received[-1].target.endswith("do=hang&then=close")

    await eventually(begun)
    wire.close()

    def ended() -> None:
        assert gateway.upstream.open <= kept - 1 or gateway.upstream.open <= 1

    await eventually(ended)


async def test_an_answer_cut_short_is_seen_as_cut_short(gateway: GatewayUnderTest, alice: str) -> None:
    for framing in ("Content-Length: 100", "Transfer-Encoding: chunked"):
        body = "64\\r\\nabc" if "chunked" in framing else "abc"
        raw = f"HTTP/1.1 200 OK\\r\\n{framing}\\r\\n\\r\\n{body}".replace(" ", "%20")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await gateway.get(f"{PATH}?do=raw&then=close&answer={raw}", token=alice)


async def test_pipelined_requests_are_answered_in_order(gateway: GatewayUnderTest, alice: str) -> None:
    count = 40
    async with gateway.wire() as wire:
        await wire.send(*(head("POST", f"?n={n}", alice, "Content-Length: 3") + "abc" for n in range(count)))
        for n in range(count):
            answer = await wire.answer()
            assert answer.json["target"] == f"{PATH}?n={n}"
            assert answer.json["length"] == 3


async def test_a_refusal_keeps_its_place_among_pipelined_requests(
    gateway: GatewayUnderTest, alice: str
) -> None:
    async with gateway.wire() as wire:
        await wire.send(head("GET", "?n=1", alice), head("GET", "?n=2", "bad"), head("GET", "?n=3", alice))
        assert [(await wire.answer()).status for _ in range(3)] == [200, 401, 200]


async def test_past_the_limit_of_pipelined_requests_the_connection_ends(
    gateway: GatewayUnderTest, alice: str
) -> None:
    async with gateway.wire() as wire:
        await wire.send("".join(head("GET", f"?n={n}", alice) for n in range(500)))
        answered = 0
        try:
            while True:
                assert (await wire.answer()).json["target"] == f"{PATH}?n={answered}"
                answered += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        assert 64 <= answered < 500


async def test_two_hundred_clients_at_once(gateway: GatewayUnderTest, alice: str) -> None:
    async def client(number: int) -> None:
        async with gateway.wire() as wire:
            for turn in range(5):
                body = f"{number}/{turn}".encode()
                await wire.send(
                    head("POST", f"?c={number}&t={turn}", alice, f"Content-Length: {len(body)}"), body
                )
                answer = await wire.answer()
                assert answer.json["target"] == f"{PATH}?c={number}&t={turn}"
                assert answer.json["digest"] == hashlib.sha256(body).hexdigest()

    await asyncio.gather(*(client(number) for number in range(200)))


async def test_connections_to_the_upstream_are_used_again(gateway: GatewayUnderTest, alice: str) -> None:
    await gateway.get(PATH, token=alice)
    before = gateway.upstream.connections
    for _ in range(20):
        await gateway.get(PATH, token=alice)
    assert gateway.upstream.connections == before


async def test_an_answer_may_begin_before_the_body_ends(gateway: GatewayUnderTest, alice: str) -> None:
    async with gateway.wire() as wire:
        await wire.send(head("POST", "?do=duplex", alice, "Transfer-Encoding: chunked"))
        status, _ = await wire.head()
        assert status == 200
        for word in (b"one", b"two", b"three"):
            await wire.send(b"%x\r\n%b\r\n" % (len(word), word))
            assert await wire.chunk() == word
        await wire.send("0\r\n\r\n")
        assert await wire.chunk() == b""
