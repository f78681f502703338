"""Requests that two servers could read differently are refused, and no part of them reaches an upstream."""

import asyncio

import pytest

from harness.gateway import GatewayUnderTest

PUBLIC = "/kapis/iam.kubesphere.io/v1alpha2/login"
POST = f"POST {PUBLIC} HTTP/1.1\r\nHost: gateway\r\n"
GET = "GET /kapis/v1alpha1/configz HTTP/1.1\r\nHost: gateway\r\n"
SMUGGLED = "GET /kapis/v1alpha1/configz?smuggled HTTP/1.1\r\nHost: gateway\r\n\r\n"

AMBIGUOUS = {
    "length and coding": POST + f"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "coding and length": POST + f"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "the same length twice": POST + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    "two lengths": POST + f"Content-Length: 0\r\nContent-Length: 5\r\n\r\n{SMUGGLED}",
    "a list of lengths": POST + "Content-Length: 4, 4\r\n\r\nabcd",
    "a length with a sign": POST + "Content-Length: +4\r\n\r\nabcd",
    "a negative length": POST + "Content-Length: -4\r\n\r\nabcd",
    "a hexadecimal length": POST + "Content-Length: 0x4\r\n\r\nabcd",
    "an empty length": POST + "Content-Length:\r\n\r\nabcd",
    "a length with a space inside": POST + "Content-Length: 1 0\r\n\r\nabcd",
    "a length with a fraction": POST + "Content-Length: 4.0\r\n\r\nabcd",
    "a length past any number": POST + f"Content-Length: {'9' * 30}\r\n\r\nabcd",
    "an unknown coding": POST + f"Transfer-Encoding: xchunked\r\n\r\n{SMUGGLED}",
    "chunked not last": POST + f"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "compressed and chunked": POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and identity": POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    "identity": POST + "Transfer-Encoding: identity\r\n\r\n",
    "chunked behind a vertical tab": POST + f"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunked in quotes": POST + f'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n{SMUGGLED}',
    "chunked behind a folded line": POST + f"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "a space before the colon": POST + f"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "a tab before the colon": POST + f"Content-Length\t: 4\r\n\r\n{SMUGGLED}",
    "an underscore for a dash": POST + f"Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "a folded header": GET + "X-A: b\r\n c\r\n\r\n",
    "a header that begins with a space": GET.replace("Host", " Host") + "\r\n",
    "a bare line feed": GET + "X-A: b\nX-B: c\r\n\r\n",
    "line feeds only": GET.replace("\r\n", "\n") + "\n",
    "a bare carriage return": GET + "X-A: b\rX-B: c\r\n\r\n",
    "NUL in a value": GET + "X-A: a\x00b\r\n\r\n",
    "NUL in a name": GET + "X\x00A: b\r\n\r\n",
    "a control character in a value": GET + "X-A: a\x01b\r\n\r\n",
    "an empty name": GET + ": b\r\n\r\n",
    "no colon": GET + "nonsense\r\n\r\n",
    "a bracket in a name": GET + "X[A]: b\r\n\r\n",
    "no host": "GET /kapis/v1alpha1/configz HTTP/1.1\r\n\r\n",
    "two hosts": GET + "Host: other\r\n\r\n",
    "a host with a path": GET.replace("gateway", "gateway/x") + "\r\n",
    "a host with a user": GET.replace("gateway", "a@gateway") + "\r\n",
    "another host in the target": GET.replace("GET ", "GET http://other") + "\r\n",
    "chunked in HTTP/1.0": POST.replace("1.1", "1.0") + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two spaces in the request line": GET.replace("GET ", "GET  /x ") + "\r\n",
    "no version": "GET /kapis/v1alpha1/configz\r\n\r\n",
    "an upgrade with a body": GET + "Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\nabcd",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("request_", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
async def test_an_ambiguous_request_is_refused(gateway: GatewayUnderTest, request_: str) -> None:
    reached = len(gateway.upstream.received)
    async with gateway.wire() as wire:
        await wire.send(request_.encode("latin-1"))
        answer = await wire.answer()
        assert answer.status in (400, 405, 505), answer
        assert answer.headers["connection"] == "close"
        assert await wire.ended(), "nothing of what follows is read"
    assert len(gateway.upstream.received) == reached


@pytest.mark.parametrize("version", ["1.2", "2.0", "0.9", "3.1"])
async def test_other_versions_are_refused(gateway: GatewayUnderTest, version: str) -> None:
    assert (await gateway.ask(GET.replace("1.1", version) + "\r\n")).status in (400, 505)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "SOURCE", "get", "GE T", "BREW"])
async def test_other_methods_are_refused(gateway: GatewayUnderTest, method: str) -> None:
    target = "gateway:80" if method == "CONNECT" else "/kapis/v1alpha1/configz"
    answer = await gateway.ask(f"{method} {target} HTTP/1.1\r\nHost: gateway\r\n\r\n")
    assert answer.status in (400, 405)


@pytest.mark.parametrize(
    "body",
    [
        "x\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "-1\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "ffffffffffffffffff\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
    ],
)
async def test_a_broken_chunk_ends_the_request(gateway: GatewayUnderTest, body: str) -> None:
    async with gateway.wire() as wire:
        await wire.send(POST, "Transfer-Encoding: chunked\r\n\r\n", body, SMUGGLED)
        try:
            answer = await wire.answer()
            assert answer.status == 400
        except asyncio.IncompleteReadError:
            pass
        assert await wire.ended()
    assert not any("smuggled" in each.target for each in gateway.upstream.received)
    assert not any(each.complete and each.target == "x" for each in gateway.upstream.received)


async def test_what_follows_a_refusal_is_never_read(gateway: GatewayUnderTest) -> None:
    async with gateway.wire() as wire:
        await wire.send(GET, "Bad Name: x\r\n\r\n", SMUGGLED, SMUGGLED)
        assert (await wire.answer()).status == 400
        assert await wire.ended()


async def test_a_body_with_a_length_does_not_become_a_request(gateway: GatewayUnderTest) -> None:
    body = SMUGGLED.encode()
    async with gateway.wire() as wire:
        await wire.send(POST, f"Content-Length: {len(body)}\r\n\r\n", body, GET, "\r\n")
        assert (await wire.answer()).json["length"] == len(body)
        assert (await wire.answer()).json["target"] == "/kapis/v1alpha1/configz"


@pytest.mark.parametrize(
    "answer",
    [
        "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n",
        "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nContent-Length: 3\\r\\n\\r\\nabc",
        "HTTP/1.1 200 OK\\r\\nX-A: b\\r\\n c\\r\\n\\r\\n",
        "garbage\\r\\n\\r\\n",
        "HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: x\\r\\n\\r\\n",
    ],
)
async def test_an_answer_that_is_ambiguous_is_not_passed_on(
    gateway: GatewayUnderTest, alice: str, answer: str
) -> None:
    from urllib.parse import quote

    path = f"/kapis/tenant.kubesphere.io/v1alpha2/x?do=raw&answer={quote(answer)}"
    assert (await gateway.get(path, token=alice)).status == 502


async def test_bytes_behind_an_answer_reach_nobody(gateway: GatewayUnderTest, alice: str) -> None:
    from urllib.parse import quote

    poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok{poison}".replace("\r\n", "\\r\\n")
    tenant = "/kapis/tenant.kubesphere.io/v1alpha2/x"
    for _ in range(5):
        first = await gateway.get(f"{tenant}?do=raw&answer={quote(answer)}", token=alice)
        assert first.body == b"ok"
        second = await gateway.get(tenant, token=alice)
        assert second.json["target"] == tenant
