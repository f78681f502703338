"""Requests that nobody should send: made from a grammar, and by changing bytes of good ones.

Each case carries a mark in its path, so that a recorder behind the gateway can tell what came of it.
"""

from collections.abc import Callable
from random import Random

METHODS = (
    b"GET",
    b"POST",
    b"PUT",
    b"DELETE",
    b"HEAD",
    b"OPTIONS",
    b"PATCH",
    b"TRACE",
    b"CONNECT",
    b"get",
    b"G\tT",
)
TARGETS = (
    b"%b", b"%b/", b"%b?a=b", b"%b/..", b"%b/%%2e%%2e/x", b"%b%%2fx", b"/%b", b"%b;x", b"%b\\x", b"%b#x",
    b"%b%%00", b"http://gateway%b", b"http://other%b", b"*", b"%b x", b"%b\xff", b"%b?token=x", b"//h%b",
)  # fmt: skip
VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.1 ", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"HTTP/1.10", b"")
HEADERS = (
    b"Host: gateway", b"Host: gateway", b"Host: gateway", b"Host: a, b", b"Host:", b"host: gateway:99999999",
    b"Content-Length: 5", b"Content-Length: 0", b"Content-Length: +5", b"Content-Length: 5, 5",
    b"Content-Length: 0x5", b"Content-Length: 99999999999999999999", b"Content-Length : 5",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: Chunked", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: xchunked", b"Transfer-Encoding : chunked", b"Transfer-Encoding:\tchunked",
    b"Transfer_Encoding: chunked", b"X-Token-Username: admin", b"X_Token_Username: admin",
    b"X-KS-Identity: a.b.c", b"Impersonate-User: admin", b"Connection: close", b"Connection: X-KS-Identity",
    b"Connection: Upgrade", b"Upgrade: websocket", b"Upgrade: h2c", b"Expect: 100-continue", b"Expect: x",
    b" folded: x", b"\tfolded: x", b"NoColon", b": empty", b"Bad\x00Name: x", b"X: a\x00b", b"X: a\rb",
    b"TE: trailers", b"Trailer: X-KS-Identity", b"X-A: " + b"y" * 3000, b"Authorization: Bearer a.b.c",
    b"Cookie: token=", b"Forwarded: for=evil", b"X-Forwarded-For: 6.6.6.6", b"X-HTTP-Method-Override: DELETE",
)  # fmt: skip
ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\n", b"\0\r\n")
BODIES = (
    b"", b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\nx",
    b"-5\r\nhello\r\n", b"5\nhello\n0\n\n", b"0\r\n\r\n", b"05\r\nhello\r\n0\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
    b"hello" * 100, b"5\r\nhello", b"5\r\nhelloXX0\r\n\r\n", b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
)  # fmt: skip
PIECES = (
    b"\r\n", b"\n", b"\r", b"\x00", b" ", b":", b"\t", b"%2e", b"%2f", b"..", b"//", b";", b"\xff", b",",
    b"chunked", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n\r\n",
)  # fmt: skip


def grammatical(chance: Random, path: bytes) -> bytes:
    """A request whose parts are each sound or not."""
    odd = chance.random() < 0.7
    pick: Callable[[tuple[bytes, ...]], bytes] = chance.choice if odd else lambda parts: parts[0]
    target = pick(TARGETS)
    target = target % path if b"%b" in target else target
    lines = [b"%b %b %b" % (pick(METHODS[:7] if not odd else METHODS), target, pick(VERSIONS))]
    if chance.random() < 0.9:
        lines.append(b"Host: gateway")
    lines += [chance.choice(HEADERS) for _ in range(chance.randrange(5))]
    end = pick(ENDS)
    return end.join(lines) + end + pick(ENDS) + chance.choice(BODIES)


def mutated(chance: Random, path: bytes) -> bytes:
    """A sound request, perhaps two of them, with some bytes changed."""
    seeds = (
        b"GET %b?a=b HTTP/1.1\r\nHost: gateway\r\nAccept: */*\r\n\r\n",
        b"POST %b HTTP/1.1\r\nHost: gateway\r\nContent-Length: 5\r\n\r\nhello",
        b"POST %b HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"GET %b HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET %b HTTP/1.0\r\n\r\n",
    )
    data = bytearray(b"".join(chance.choice(seeds) % path for _ in range(chance.randint(1, 2))))
    for _ in range(chance.randint(1, 6)):
        where = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[where] = chance.randrange(256)
            case 1:
                del data[where : where + chance.randint(1, 8)]
                data = data or bytearray(b"x")
            case 2:
                data[where:where] = data[where : where + chance.randint(1, 20)]
            case 3:
                data[where:where] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 4)))
            case _:
                data[where:where] = chance.choice(PIECES)
    return bytes(data)
