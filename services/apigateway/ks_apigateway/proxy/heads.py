"""The heads that the gateway writes: of requests to upstreams, of answers to clients."""

from http import HTTPStatus

from ks_apigateway.proxy import headers
from ks_apigateway.proxy.outcome import Forward
from ks_apigateway.proxy.request import Request

REASONS = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}


def request_head(request: Request, forward: Forward, server_prefix: bytes, *, expect: bool) -> bytes:
    """The head of `request` as an upstream gets it, the empty line included."""
    target = server_prefix + forward.path + (b"?" + forward.query if forward.query else b"")
    host = request.authority if forward.host is None else forward.host
    lines = [
        b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (request.method, target, host),
        *headers.passing(request.fields, request.options),
        _forwarding(request),
        b"x-request-id: %b\r\n" % request.id,
        _via(request),
        *forward.lines,
    ]
    if request.chunked:
        lines.append(b"transfer-encoding: chunked\r\n")
    elif request.length is not None:
        lines.append(b"content-length: %d\r\n" % request.length)
    if expect:
        lines.append(b"expect: 100-continue\r\n")
    if request.upgrade:
        lines.append(b"connection: Upgrade\r\nupgrade: %b\r\n" % request.upgrade)
    lines.append(b"\r\n")
    return b"".join(lines)


def _via(request: Request) -> bytes:
    before = request.all(b"via")
    if not before:
        return headers.VIA_LINE
    return b"via: %b\r\n" % b", ".join([*before, headers.VIA])


def _forwarding(request: Request) -> bytes:
    """What is told of the client: a trusted proxy's word with that proxy at the end of the chain, else only
    what we see ourselves.
    """
    address, host = request.address, request.authority
    if not request.peer_is_trusted:
        return headers.forwarding(address, request.scheme, host)
    told = request.get(b"x-forwarded-host")
    if told is not None and headers.is_host(told):
        host = told
    chain = b", ".join([*request.all(b"x-forwarded-for"), request.peer.encode("ascii")])
    return headers.forwarding(address, request.scheme, host, chain)


def answer_head(status: int, reason: bytes, lines: list[bytes], request_id: bytes) -> bytes:
    """The head of an answer to a client, the empty line included."""
    return b"HTTP/1.1 %d %b\r\n%b%bx-request-id: %b\r\n\r\n" % (
        status,
        reason or REASONS.get(status, b""),
        b"".join(lines),
        headers.VIA_LINE,
        request_id,
    )
