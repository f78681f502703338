"""What connections have to send goes out at the end of a turn of the event loop, all of it together.

A send that is followed by the work for the next request gives its receiver, who was asleep, the time to fall
asleep again: then waking it costs as much as all else that the kernel does for a request.
"""

import asyncio
import logging

log = logging.getLogger(__name__)

AT_ONCE = 16 * 1024
"""Bytes that are too many to be copied or to wait."""
_MOST = 64
"""Connections after which nobody waits for more of them."""


class Sender(asyncio.Protocol):
    """One end of a connection. `transport` is None before it begins and after it ended; `sent` says whether
    anything was sent since somebody took note of it by setting it to False.
    """

    __slots__ = ("sent", "transport", "unsent")

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.unsent = b""
        """What waits for the end of the turn."""
        self.sent = False

    @property
    def is_open(self) -> bool:
        """Whether what is written may still arrive."""
        return self.transport is not None and not self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Sends `data` behind all that was given before: at the end of this turn, or at once when it is
        much.
        """
        transport = self.transport
        if transport is None:
            return
        waiting = self.unsent
        if len(waiting) + len(data) > AT_ONCE:
            self.unsent = b""
            self.sent = True
            transport.writelines((waiting, data)) if waiting else transport.write(data)
        elif waiting:
            self.unsent = waiting + data
        else:
            self.unsent = data
            _put(self)

    def send_unsent(self) -> None:
        """Sends now what waits."""
        data, self.unsent = self.unsent, b""
        transport = self.transport
        if data and transport is not None and not transport.is_closing():
            self.sent = True
            transport.write(data)


_waiting: list[Sender] = []
"""Of the one event loop of this process."""


def _put(sender: Sender) -> None:
    if not _waiting:
        asyncio.get_running_loop().call_soon(_send)
    _waiting.append(sender)
    if len(_waiting) >= _MOST:
        _send()


def _send() -> None:
    senders = _waiting.copy()
    _waiting.clear()
    for sender in senders:
        try:
            sender.send_unsent()
        except Exception:
            log.exception("a connection could not be written to")
