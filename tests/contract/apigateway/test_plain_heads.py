"""What the gateway reads without llhttp means the same to llhttp, whatever bytes it is made of."""

import asyncio
import random

import pytest
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, HttpResponseParser

from harness.gateway import GatewayUnderTest
from ks_apigateway.proxy import plain
from ks_apigateway.proxy.headers import NOT_ANSWERED
from ks_apigateway.proxy.limits import ClientLimits

CASES = 15_000

REQUESTS = [
    b"GET /kapis/a/b?x=1 HTTP/1.1\r\nHost: gateway\r\nAccept: */*\r\nX-A:\r\n\r\n",
    b"POST /a%20b HTTP/1.1\r\nhost:gateway:80\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
    b"DELETE / HTTP/1.1\r\nHost: [::1]:80 \t\r\nConnection: close\r\nCookie: a=b; c=d\r\n\r\n",
    b"PUT /a HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: g\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 404 Not Found\r\ncontent-length:0\r\nConnection: close\r\nX-A: \xe9 \r\n\r\n",
    b"HTTP/1.1 500 \r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-Id: 0123456789abcdef\r\nX-B: c\r\n\r\nok",
]
INSERTED = (
    b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b"\x0b", b"\x7f", b"\xff", b"1", b"-", b"_", b",",
    b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Host: a\r\n",
    b"\r\n\r\n", b"HTTP/1.1", b"X-Request-Id: 1\r\n",
)  # fmt: skip


class Heard:
    """What llhttp makes of the bytes."""

    def __init__(self) -> None:
        self.target = b""
        self.reason = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.whole = False
        self.keeps = False
        self.parser: HttpRequestParser | HttpResponseParser | None = None

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_status(self, status: bytes) -> None:
        self.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        assert self.parser is not None
        self.whole = True
        self.keeps = self.parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        self.body += data


def mutations(seeds: list[bytes], number: int) -> "list[bytes]":
    chance = random.Random(number)
    found = []
    for _ in range(CASES):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(0, 4)):
            where = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0:
                    data[where : where + 1] = bytes([chance.randrange(256)])
                case 1:
                    del data[where : where + chance.randrange(1, 5)]
                case _:
                    data[where:where] = chance.choice(INSERTED)
        found.append(bytes(data))
    return found


def told(parser: HttpRequestParser | HttpResponseParser, data: bytes) -> None:
    try:
        parser.feed_data(data)
    except (HttpParserUpgrade, HttpParserError):
        return


def test_a_request_read_plainly_is_the_same_request_to_llhttp() -> None:
    taken = 0
    for data in mutations(REQUESTS, 1):
        reader = plain.PlainReader("10.0.0.1", b"http", ClientLimits(), lambda _: False, {})
        read = reader.read(data)
        if read is None:
            continue
        taken += 1
        request, size = read
        heard = Heard()
        parser = heard.parser = HttpRequestParser(heard)
        parser.feed_data(data[:size])
        assert heard.whole, data
        assert parser.get_method() == request.method, data
        assert heard.target == data.split(b" ", 2)[1], data
        assert heard.fields == request.head.fields, data
        assert heard.keeps is not request.head.closes, data
        assert not parser.should_upgrade(), data
        length = request.head.length or 0
        parser.feed_data(b"x" * length)
        assert heard.body == b"x" * length, data
    assert taken > CASES // 10


def test_an_answer_read_plainly_is_the_same_answer_to_llhttp() -> None:
    taken = 0
    for data in mutations(ANSWERS, 2):
        end = data.find(b"\r\n\r\n")
        answer = plain.read_answer(data[:end]) if end >= 0 else None
        if answer is None:
            continue
        assert answer.head.startswith(b"HTTP/1.1 %d " % answer.status), data
        taken += 1
        heard = Heard()
        parser = heard.parser = HttpResponseParser(heard)
        parser.feed_data(data[: end + 4])
        assert heard.whole, data
        assert parser.get_status_code() == answer.status, data
        assert heard.keeps or not answer.keeps, data
        names = {name for name, _ in heard.fields}
        assert not names & {b"transfer-encoding", b"upgrade"}, data
        told(parser, b"x" * answer.length)
        assert heard.body == b"x" * answer.length, data
        passed = dict(heard.fields).keys() - {b"content-length", b"connection", b"keep-alive"}
        for name in passed - NOT_ANSWERED:
            assert b"%b: %b\r\n" % (name, dict(heard.fields)[name]) in answer.lines, data
    assert taken > CASES // 10


@pytest.mark.parametrize("cut", [1, 10, 30, 60, -1, -2, -3])
def test_a_head_that_is_not_whole_is_not_read_plainly(cut: int) -> None:
    reader = plain.PlainReader("10.0.0.1", b"http", ClientLimits(), lambda _: False, {})
    assert reader.read(REQUESTS[0][:cut]) is None


@pytest.mark.parametrize("piece", [1, 7, 100, 100_000])
async def test_requests_of_every_kind_share_one_connection(
    gateway: GatewayUnderTest, alice: str, piece: int
) -> None:
    path = "/kapis/tenant.kubesphere.io/v1alpha2/x"
    common = f"Host: gateway\r\nAuthorization: Bearer {alice}\r\n"
    kinds = [
        ("GET", "", "", 0),
        ("POST", "Content-Length: 3\r\n", "abc", 3),
        ("POST", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", 5),
        ("GET", "", "", 0),
        ("PUT", "Content-Length: 0\r\n", "", 0),
        ("POST", "Expect: 100-continue\r\nContent-Length: 2\r\n", "ok", 2),
        ("POST", "Content-Length: 12\r\n", "GET / HTTP/1", 12),
        ("DELETE", "Connection: keep-alive\r\n", "", 0),
    ]
    sent = "".join(
        f"{method} {path}?n={number} HTTP/1.1\r\n{common}{fields}\r\n{body}"
        for number, (method, fields, body, _) in enumerate(kinds)
    ).encode()
    async with gateway.wire() as wire:
        for begin in range(0, len(sent), piece):
            await wire.send(sent[begin : begin + piece])
            await asyncio.sleep(0)
        for number, (method, _, _, length) in enumerate(kinds):
            answer = await wire.answer()
            while answer.status == 100:
                answer = await wire.answer()
            assert (answer.json["method"], answer.json["length"]) == (method, length)
            assert answer.json["target"] == f"{path}?n={number}"
