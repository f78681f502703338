"""Which headers pass the gateway, and those that it adds.

Hop-by-hop headers end here (RFC 9110, 7.6.1), those that `Connection` names too. So does every header
by which services or Kubernetes could be told who the user is: only the gateway says that. A header is
compared by its name with underscores read as dashes, because CGI-like servers cannot tell the two
apart.
"""

import re
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from random import Random

Fields = list[tuple[bytes, bytes]]

REASONS = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}
"""Of statuses without a reason of their own."""

VIA = b"1.1 ks-apigateway"
VIA_LINE = b"via: %b\r\n" % VIA

_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_IDENTITY_PREFIXES = (b"x-token-", b"x-ks-", b"impersonate-", b"x-remote-")
_IDENTITY = frozenset((b"x-webauth-user", b"x-forwarded-user", b"x-forwarded-email", b"x-forwarded-groups"))
_FORWARDING = frozenset(
    (
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-server",
        b"x-real-ip",
        b"x-client-ip",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-http-method-override",
        b"x-http-method",
        b"x-method-override",
        b"true-client-ip",
        b"cluster-client-ip",
    )
)
_OWN = frozenset(
    (b"host", b"content-length", b"x-request-id", b"authorization", b"cookie", b"via", b"expect")
)
"""Headers that the gateway reads or writes itself."""

NOT_ANSWERED = _HOP_BY_HOP | {b"content-length", b"x-request-id", b"x-ks-identity"}
"""Headers of an upstream's answer that end here, or are written anew."""

_KEPT_OPEN = frozenset((b"keep-alive", b"close"))
"""Options that name no header but those that end here anyway."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HOST = re.compile(rb"[A-Za-z0-9._~-]*(?::[0-9]{0,5})?|\[[0-9A-Fa-f:.%]+\](?::[0-9]{0,5})?")
_NAMES_KEPT = 2048
_SHORT = 64
"""Bytes; only what is shorter is remembered."""


class Rule(Enum):
    """What becomes of a request header of a client."""

    PASS = "pass"  # noqa: S105  a verdict, no password
    DROP = "drop"
    OWN = "own"
    REFUSE = "refuse"


# Reading a member of an Enum costs as much as a call; this one is read for every header.
_PASS = Rule.PASS

_random = Random()  # noqa: S311  ids need to differ, not to be secret; the system's source is a call each

_known: dict[bytes, tuple[bytes, Rule]] = {}


def classify(name: bytes) -> tuple[bytes, Rule]:
    """`name` in lower case, and what becomes of it. Remembered for the names that clients use, up to a
    bound.
    """
    known = _known.get(name)
    if known is None:
        known = _classify(name.lower())
        if len(_known) < _NAMES_KEPT:
            _known[name] = known
    return known


def _classify(name: bytes) -> tuple[bytes, Rule]:
    dashed = name.replace(b"_", b"-")
    if (
        dashed in _HOP_BY_HOP
        or dashed in _IDENTITY
        or dashed in _FORWARDING
        or dashed.startswith(_IDENTITY_PREFIXES)
    ):
        rule = Rule.DROP
    elif dashed in _OWN:
        rule = Rule.OWN
    else:
        return name, Rule.PASS
    return name, Rule.REFUSE if dashed != name else rule


def connection_options(fields: Fields) -> frozenset[bytes]:
    """The options of the Connection header, in lower case."""
    found = b",".join([value for name, value in fields if name == b"connection"])
    return _options(found) if len(found) <= _SHORT else _options.__wrapped__(found)


@lru_cache(maxsize=256)
def _options(value: bytes) -> frozenset[bytes]:
    return frozenset(option.strip() for option in value.lower().split(b",")) if value else frozenset()


def passing(fields: Fields, options: frozenset[bytes]) -> list[bytes]:
    """The lines of the headers of a request that go on as they are; `options` are those of its Connection
    header.
    """
    lines: list[bytes] = []
    for name, value in fields:
        if classify(name)[1] is _PASS and name not in options:
            lines.append(b"%b: %b\r\n" % (name, value))
    return lines


def answer_fields(fields: Fields) -> list[bytes]:
    """The lines of the headers of an upstream's answer that go on to the client, without framing."""
    options = connection_options(fields)
    left_out = NOT_ANSWERED if options <= _KEPT_OPEN else NOT_ANSWERED | options
    return [b"%b: %b\r\n" % field for field in fields if field[0] not in left_out]


def trailer_lines(fields: Fields) -> bytes:
    """The trailer section of a chunked body: only what is no framing, no routing and no identity (RFC
    9110, 6.5.1).
    """
    return b"".join(b"%b: %b\r\n" % (name, value) for name, value in fields if classify(name)[1] is Rule.PASS)


def given_request_id(given: bytes | None) -> bytes:
    """The client's request id when it has the shape of one, else nothing."""
    return given if given is not None and _REQUEST_ID.fullmatch(given) else b""


def new_request_id() -> bytes:
    """One that no other request has."""
    return b"%016x" % _random.getrandbits(64)


def is_host(value: bytes) -> bool:
    """Whether `value` has the shape of a Host header: a name or an address, and a port or none."""
    return _is_host(value) if len(value) <= _SHORT else _HOST.fullmatch(value) is not None


@lru_cache(maxsize=2048)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def is_address(text: str) -> bool:
    """Whether `text` is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=2048)
def forwarding(address: str, scheme: bytes, host: bytes, chain: bytes | None = None) -> bytes:
    """The lines that tell an upstream about the client: Forwarded (RFC 7239) and its older relatives.

    `chain` is X-Forwarded-For of a trusted proxy with the proxy's own address at its end; None for the
    client's address alone.
    """
    node = b'"[%b]"' % address.encode("ascii") if ":" in address else address.encode("ascii")
    quoted = b'"%b"' % host
    return (
        b"forwarded: for=%b;host=%b;proto=%b\r\nx-forwarded-for: %b\r\nx-forwarded-host: %b\r\n"
        b"x-forwarded-proto: %b\r\nx-real-ip: %b\r\n"
    ) % (
        node,
        quoted,
        scheme,
        address.encode("ascii") if chain is None else chain,
        host,
        scheme,
        address.encode("ascii"),
    )
