"""One connection to an LDAP server for asyncio, for the operations of `ldap_codec`."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from ks_account.clients import ldap_codec
from ks_account.clients.ldap_codec import Kind, LdapProtocolError, Message

_MAX_NUMBER = 2**31 - 1
_CLOSED = "the server closed the connection"


class LdapConnectionError(Exception):
    """The connection broke, or the server did not answer in time."""


class LdapConnectionLost(LdapConnectionError):
    """The connection broke, as one may that was idle: a new one may serve."""


@dataclass(slots=True)
class Answer:
    """What a server gave for one operation: entries, and a result by its code (RFC 4511, section 4.1.9)."""

    entries: Sequence[Message]
    code: int
    text: str


@dataclass(slots=True)
class _Waiting:
    """Operations that were sent together, by their numbers: a server may answer them in any order."""

    done: "asyncio.Future[None]"
    open: dict[int, list[Message]]
    """The entries so far of each that is not answered yet."""
    answers: dict[int, Answer] = field(default_factory=dict[int, Answer])

    def take(self, found: Message) -> bool:
        """Whether the message is of one of the operations."""
        entries = None if self.done.done() else self.open.get(found.id)
        if entries is None:
            return False
        if found.kind is Kind.ENTRY:
            entries.append(found)
        elif found.kind is not Kind.REFERENCE:
            self.answers[found.id] = Answer(entries, found.code, found.text)
            del self.open[found.id]
            if not self.open:
                self.done.set_result(None)
        return True


class LdapWire(asyncio.Protocol):
    """A connection, for one caller of `ask` at a time."""

    def __init__(self, timeout: float) -> None:
        """`timeout`: seconds for an answer."""
        self._timeout = timeout
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._number = 0
        self._waiting: _Waiting | None = None
        self._broken = ""

    @property
    def is_open(self) -> bool:
        """Whether the server is there, as far as anybody knows, and nothing is under way."""
        return not self._broken and self._waiting is None

    async def ask(self, *operations: bytes) -> list[Answer]:
        """Send operations at once, and give what comes back for each. Raises LdapConnectionError; the
        connection is of no use then.
        """
        if self._broken or self._transport is None:
            raise LdapConnectionLost(self._broken or "not connected")
        loop = asyncio.get_running_loop()
        numbers = [self._next_number() for _ in operations]
        waiting = self._waiting = _Waiting(loop.create_future(), {number: [] for number in numbers})
        late = loop.call_later(self._timeout, self._give_up)
        self._transport.write(b"".join(map(ldap_codec.message, numbers, operations)))
        try:
            await waiting.done
            return [waiting.answers[number] for number in numbers]
        except asyncio.CancelledError:  # its answer must not pass for that of the next operation
            self._break("the request was given up")
            raise
        finally:
            late.cancel()
            self._waiting = None

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Go on over TLS. Raises LdapConnectionError when the server does not, ssl.SSLError when it cannot be
        trusted.
        """
        [answer] = await self.ask(ldap_codec.start_tls())
        if answer.code or self._transport is None or self._received:
            self._break(f"the server does not start TLS: {answer.code} {answer.text}")
            raise LdapConnectionError(self._broken)
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(self._transport, self, context, server_hostname=host)
        self._transport = cast("asyncio.Transport | None", transport)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None and not self._broken:
            self._transport.write(ldap_codec.message(self._next_number(), ldap_codec.unbind()))
            self._transport.close()
        self._broken = self._broken or "it was closed"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        at = 0
        try:
            while True:
                found, at = ldap_codec.read(self._received, at)
                if found is None:
                    break
                self._take(found)
        except LdapProtocolError as error:
            self._break(f"the server sent what is no LDAP: {error}")
        del self._received[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(_CLOSED if exc is None else f"{_CLOSED}: {exc}")

    def _take(self, found: Message) -> None:
        if found.id == 0:  # a notice of disconnection (RFC 4511, section 4.4.1)
            self._break(f"{_CLOSED}: {found.text}")
        elif self._waiting is None or not self._waiting.take(found):
            self._break("the server answered what nobody asked")

    def _give_up(self) -> None:
        self._fail(LdapConnectionError(f"no answer within {self._timeout:g} s"))

    def _break(self, why: str) -> None:
        self._fail(LdapConnectionLost(why))

    def _fail(self, error: LdapConnectionError) -> None:
        self._broken = self._broken or str(error)
        if self._waiting is not None and not self._waiting.done.done():
            self._waiting.done.set_exception(error)
        if self._transport is not None:
            self._transport.abort()

    def _next_number(self) -> int:
        self._number = self._number % _MAX_NUMBER + 1
        return self._number
