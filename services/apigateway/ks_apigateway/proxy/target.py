"""The request target, read once and in one way.

Everything after this module (routing, authorisation, the upstream) sees the same path. A target that
two readers could take for different paths is refused: encoded slashes and backslashes, empty, `.` and
`..` segments however they are written, escapes that are no escapes, bytes that must not stand in a
target.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from servicekit.errors import BadRequest

_PLAIN_PATH = re.compile(rb"(?:/[A-Za-z0-9!$&'()*+,=:@_~-][A-Za-z0-9!$&'()*+,=:@_~.-]*)+/?|/")
"""A path with nothing to decode and nothing to doubt: what nearly every request has."""
_PATH = re.compile(rb"/[\x21-\x22\x24-\x3e\x40-\x5b\x5d-\x7e]*")
_QUERY = re.compile(rb"[\x21-\x22\x24-\x7e]*")
_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SAFE = "/!$&'()*+,;=:@~"
_ABSOLUTE = re.compile(rb"https?://([^/?#@]*)", re.IGNORECASE)
_SHORT = 512
"""Bytes; only what is shorter is remembered, so that the memory for it is bounded."""
_LONG_RUNNING = re.compile(rb"(?:^|&)(?:watch|follow)=(?:1|t|T|true|TRUE|True)(?:&|$)")


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Where a request goes. `path` is decoded; `raw_path` (also as text, `raw_text`) and `query` are what is
    sent on, as the client meant them. Requests share a remembered one, which is equal to no other.
    """

    path: str
    raw_text: str
    raw_path: bytes
    query: bytes
    authority: bytes = b""
    """The host of an absolute target (`GET http://host/path`), which then stands for the Host header."""
    is_long_running: bool = False
    """Whether the answer goes on until somebody ends it: a watch, or a log that is followed."""


def read(raw: bytes) -> Target:
    """As `parse`, remembering what clients ask for again and again."""
    return _remembered(raw) if len(raw) <= _SHORT else parse(raw)


def parse(raw: bytes) -> Target:
    """The target of a request line (RFC 9112, 3.2). Raises BadRequest for what is ambiguous or not for a
    gateway.
    """
    authority = b""
    if not raw.startswith(b"/"):
        match = _ABSOLUTE.match(raw)
        if match is None or not match[1]:
            raise BadRequest("the request target must be a path that begins with /")
        authority = match[1]
        raw = raw[match.end() :]
        raw = raw if raw.startswith(b"/") else b"/" + raw
    path, _, query = raw.partition(b"?")
    if query and not _QUERY.fullmatch(query):
        raise BadRequest("the query string has a character that must be percent-encoded")
    if _PLAIN_PATH.fullmatch(path):
        decoded = raw_text = path.decode("ascii")
    else:
        decoded = _decode(path)
        raw_text = quote(decoded, safe=_SAFE)
        path = raw_text.encode("ascii")
    is_long_running = bool(_LONG_RUNNING.search(query)) or "/watch/" in decoded[:64]
    return Target(decoded, raw_text, path, query, authority, is_long_running)


def _decode(path: bytes) -> str:
    if not _PATH.fullmatch(path):
        raise BadRequest("the path has a character that must be percent-encoded")
    if _ESCAPE.search(path):
        raise BadRequest("the path has a percent sign that begins no escape")
    try:
        decoded = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("the path is not UTF-8") from None
    if path.count(b"/") != decoded.count("/"):
        raise BadRequest("the path has an encoded slash")
    if "\\" in decoded:
        raise BadRequest("the path has a backslash")
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in decoded):
        raise BadRequest("the path has a control character")
    if "//" in decoded:
        raise BadRequest("the path has an empty segment")
    if any(_is_dots(segment) for segment in decoded.split("/")):
        raise BadRequest("the path has a segment . or ..")
    return decoded


def _is_dots(segment: str) -> bool:
    """Whether some reader takes `segment` for `.` or `..`: also one that decodes twice, or drops
    `;parameters`.
    """
    return segment.partition(";")[0].lower().replace("%2e", ".").partition("%3b")[0] in (".", "..")


_remembered = lru_cache(maxsize=4096)(parse)


def take_parameter(query: bytes, name: str) -> tuple[str | None, bytes]:
    """The first value of the query parameter `name`, if it is there, and the query without any of its
    values.
    """
    if not query or (name.encode() not in query and b"%" not in query):
        return None, query
    value: str | None = None
    kept: list[bytes] = []
    for pair in query.split(b"&"):
        key, _, text = pair.decode("ascii").partition("=")
        if unquote_plus(key) != name:
            kept.append(pair)
        elif value is None:
            value = unquote_plus(text)
    return value, b"&".join(kept)
