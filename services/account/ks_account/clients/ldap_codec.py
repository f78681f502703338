"""The two LDAP operations that every login needs, as bytes: a search by equality, and a simple bind.

This is the part of RFC 4511 that those need, in the encoding of its section 5.1 (BER with definite lengths).
What a server sends is not believed: every length is checked against what holds it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of one message of a server; a longer one is refused."""

_INTEGER, _OCTETS, _ENUMERATED, _SEQUENCE, _SET = 0x02, 0x04, 0x0A, 0x30, 0x31
_BIND, _UNBIND, _SEARCH, _EXTENDED = 0x60, 0x42, 0x63, 0x77
_AND, _OR, _EQUALITY, _SIMPLE, _REQUEST_NAME = 0xA0, 0xA1, 0xA3, 0x80, 0x80
_SUBTREE, _DEREFERENCE_ALWAYS = b"\x0a\x01\x02", b"\x0a\x01\x03"
_NO_TIME_LIMIT, _TYPES_AND_VALUES = b"\x02\x01\x00", b"\x01\x01\x00"
_VERSION_3 = b"\x02\x01\x03"
_START_TLS = b"1.3.6.1.4.1.1466.20037"

Filter = bytes
"""A filter, encoded."""


class LdapProtocolError(Exception):
    """What the server sent is no LDAP."""


class Kind(IntEnum):
    """What a server's message is, by the tag of its operation."""

    BIND_RESPONSE = 0x61
    ENTRY = 0x64
    SEARCH_DONE = 0x65
    REFERENCE = 0x73
    EXTENDED_RESPONSE = 0x78


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a server. `code` and `text` are those of a result; `dn` and `attributes`, each with its
    values, those of an entry.
    """

    id: int
    kind: Kind
    code: int = 0
    text: str = ""
    dn: str = ""
    attributes: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])


def equal(attribute: str, value: str) -> Filter:
    """A filter: `attribute` has exactly that value, whatever characters it is of."""
    return _wrap(_EQUALITY, _text(attribute) + _text(value))


def all_of(*filters: Filter) -> Filter:
    """A filter: what all of them find."""
    return _wrap(_AND, b"".join(filters))


def any_of(*filters: Filter) -> Filter:
    """A filter: what one of them finds."""
    return _wrap(_OR, b"".join(filters))


def search(base: str, condition: Filter, attributes: Iterable[str], limit: int) -> bytes:
    """A search of the whole tree below `base`; `limit` of entries, 0 for as many as there are."""
    listed = b"".join(map(_text, attributes))
    return _wrap(
        _SEARCH,
        _text(base)
        + _SUBTREE
        + _DEREFERENCE_ALWAYS
        + _integer(limit)
        + _NO_TIME_LIMIT
        + _TYPES_AND_VALUES
        + condition
        + _wrap(_SEQUENCE, listed),
    )


def simple_bind(dn: str, password: str) -> bytes:
    """A bind as `dn`. Raises ValueError when one of them is empty: servers take that for a bind as nobody,
    which succeeds (RFC 4513, section 5.1.2).
    """
    if not dn or not password:
        raise ValueError("a simple bind needs a password, and somebody whose it is")
    return _wrap(_BIND, _VERSION_3 + _text(dn) + _wrap(_SIMPLE, _utf8(password)))


def start_tls() -> bytes:
    """The request to go on over TLS."""
    return _wrap(_EXTENDED, _wrap(_REQUEST_NAME, _START_TLS))


def unbind() -> bytes:
    """The end of a connection."""
    return bytes((_UNBIND, 0))


def message(number: int, operation: bytes) -> bytes:
    """The message that carries an operation, by a number from 1 to 2³¹ - 1."""
    return _wrap(_SEQUENCE, _integer(number) + operation)


def read(data: bytes | bytearray, start: int = 0) -> tuple[Message | None, int]:
    """The message at `start`, and where the next one begins; None while it is not whole. Raises
    LdapProtocolError.
    """
    if len(data) - start < 2:
        return None, start
    if data[start] != _SEQUENCE:
        raise LdapProtocolError("a message does not begin as one")
    header = _length(data, start + 1)
    if header is None:
        return None, start
    body, size = header
    if size > MAX_MESSAGE:
        raise LdapProtocolError(f"a message of {size} bytes")
    if len(data) - body < size:
        return None, start
    return _Reader(bytes(data[body : body + size])).message(), body + size


def _wrap(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _text(value: str) -> bytes:
    return _wrap(_OCTETS, _utf8(value))


def _utf8(value: str) -> bytes:
    """As UTF-8; half a surrogate pair as what no server takes for text, rather than for another text."""
    return value.encode("utf-8", "surrogatepass")


def _integer(value: int) -> bytes:
    return _wrap(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _length(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Where the content begins whose length is at `at`, and that length; None while that is not whole."""
    first = data[at]
    if first < 0x80:
        return at + 1, first
    count = first & 0x7F
    if not 0 < count <= 4:
        raise LdapProtocolError("a length that is not definite, or beyond all bounds")
    end = at + 1 + count
    if len(data) < end:
        return None
    return end, int.from_bytes(data[at + 1 : end], "big")


class _Reader:
    """Reads the elements of one whole message, one after another."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def message(self) -> Message:
        number = self._number(_INTEGER)
        tag, start, end = self._next(len(self._data))
        try:
            kind = Kind(tag)
        except ValueError:
            raise LdapProtocolError(f"an operation of the unknown tag {tag:#x}") from None
        self._at = start
        if kind is Kind.ENTRY:
            return self._entry(number, end)
        if kind is Kind.REFERENCE:
            return Message(number, kind)
        code = self._number(_ENUMERATED)
        self._octets(end)
        text = self._octets(end).decode("utf-8", "replace")
        return Message(number, kind, code=code, text=text)

    def _entry(self, number: int, end: int) -> Message:
        dn = self._octets(end).decode("utf-8", "replace")
        attributes: dict[str, list[bytes]] = {}
        last = self._enter(_SEQUENCE, end)
        while self._at < last:
            ending = self._enter(_SEQUENCE, last)
            name = self._octets(ending).decode("utf-8", "replace")
            until = self._enter(_SET, ending)
            values: list[bytes] = []
            while self._at < until:
                values.append(self._octets(until))
            attributes[name] = values
        return Message(number, Kind.ENTRY, dn=dn, attributes=attributes)

    def _enter(self, tag: int, end: int) -> int:
        """Go into an element; gives where it ends."""
        found, start, until = self._next(end)
        if found != tag:
            raise LdapProtocolError(f"the tag {found:#x} instead of {tag:#x}")
        self._at = start
        return until

    def _octets(self, end: int) -> bytes:
        until = self._enter(_OCTETS, end)
        value = self._data[self._at : until]
        self._at = until
        return value

    def _number(self, tag: int) -> int:
        until = self._enter(tag, len(self._data))
        value = int.from_bytes(self._data[self._at : until], "big", signed=True)
        self._at = until
        return value

    def _next(self, end: int) -> tuple[int, int, int]:
        """The tag of the element that comes now, and where its content begins and ends."""
        if end - self._at < 2:
            raise LdapProtocolError("an element is cut off")
        header = _length(self._data, self._at + 1)
        if header is None or header[0] + header[1] > end:
            raise LdapProtocolError("an element goes beyond what holds it")
        return self._data[self._at], header[0], header[0] + header[1]
