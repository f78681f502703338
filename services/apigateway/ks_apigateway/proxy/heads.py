"""The heads that the gateway writes: of requests to upstreams, of answers to clients."""

from ks_apigateway.proxy import headers
from ks_apigateway.proxy.outcome import Forward
from ks_apigateway.proxy.request import Request


def request_head(request: Request, forward: Forward, server_prefix: bytes, *, expect: bool) -> bytes:
    """The head of `request` as an upstream gets it, the empty line included."""
    head = request.head
    first = forward.head
    if first is None or server_prefix:
        first = forward.head = _up_to_id(request, forward, server_prefix)
    return b"%b%b\r\n%b\r\n" % (
        first,
        request.id,
        _framing(request, expect) if head.chunked or head.upgrade or head.length is not None else b"",
    )


def _up_to_id(request: Request, forward: Forward, server_prefix: bytes) -> bytes:
    head = request.head
    lines = head.lines
    if lines is None:
        lines = head.lines = _client_lines(request)
    return b"%b %b%b%b HTTP/1.1\r\nhost: %b\r\n%b%bx-request-id: " % (
        request.method,
        server_prefix,
        forward.path,
        b"?" + forward.query if forward.query else b"",
        request.authority if forward.host is None else forward.host,
        lines,
        forward.lines,
    )


def _framing(request: Request, expect: bool) -> bytes:
    head = request.head
    if head.upgrade:
        return b"connection: Upgrade\r\nupgrade: %b\r\n" % head.upgrade
    framing = b"transfer-encoding: chunked\r\n" if head.chunked else b"content-length: %d\r\n" % head.length
    return framing + b"expect: 100-continue\r\n" if expect else framing


def _client_lines(request: Request) -> bytes:
    """The lines that follow from the client's headers alone: those that pass, and what is told of it."""
    head = request.head
    return b"".join((*headers.passing(head.fields, head.options), _forwarding(request), _via(request)))


def _via(request: Request) -> bytes:
    before = request.all(b"via")
    if not before:
        return headers.VIA_LINE
    return b"via: %b\r\n" % b", ".join([*before, headers.VIA])


def _forwarding(request: Request) -> bytes:
    """What is told of the client: a trusted proxy's word with that proxy at the end of the chain, else only
    what we see ourselves.
    """
    head = request.head
    address, host = head.address, request.authority
    if not head.peer_is_trusted:
        return headers.forwarding(address, head.scheme, host)
    told = head.get(b"x-forwarded-host")
    if told is not None and headers.is_host(told):
        host = told
    chain = b", ".join([*head.all(b"x-forwarded-for"), head.peer.encode("ascii")])
    return headers.forwarding(address, head.scheme, host, chain)


def answer_head(status: int, reason: bytes, lines: list[bytes], request_id: bytes) -> bytes:
    """The head of an answer to a client, the empty line included."""
    return b"HTTP/1.1 %d %b\r\n%b%bx-request-id: %b\r\n\r\n" % (
        status,
        reason or headers.REASONS.get(status, b""),
        b"".join(lines),
        headers.VIA_LINE,
        request_id,
    )
