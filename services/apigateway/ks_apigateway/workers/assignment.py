"""What a worker is told by its supervisor: which sockets are its own, and how it learns that it is alone."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Self

VARIABLE = "APIGATEWAY_WORKER"
"""Of the environment. It is no setting: only the supervisor sets it."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Descriptors that the worker inherits: of its sockets, and of a pipe that ends with the supervisor."""

    plain_fd: int
    secure_fd: int | None
    operations_fd: int
    lifeline_fd: int

    @classmethod
    def given(cls) -> Self | None:
        """That of this process; None in a process that is no worker."""
        text = os.environ.pop(VARIABLE, None)
        return None if text is None else cls(**json.loads(text))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the worker."""
        return {**os.environ, VARIABLE: json.dumps(asdict(self))}

    @property
    def descriptors(self) -> list[int]:
        """Those to pass to the worker."""
        found = (self.plain_fd, self.secure_fd, self.operations_fd, self.lifeline_fd)
        return [fd for fd in found if fd is not None]

    def plain(self) -> socket.socket:
        return _socket(self.plain_fd)

    def secure(self) -> socket.socket | None:
        return None if self.secure_fd is None else _socket(self.secure_fd)

    def operations(self) -> socket.socket:
        return _socket(self.operations_fd)

    def on_orphaned(self, call: Callable[[], object]) -> None:
        """Calls `call` once the supervisor is gone, however it went."""
        loop = asyncio.get_running_loop()

        def ended() -> None:
            loop.remove_reader(self.lifeline_fd)
            call()

        loop.add_reader(self.lifeline_fd, ended)


def _socket(fd: int) -> socket.socket:
    sock = socket.socket(fileno=fd)
    sock.setblocking(False)
    return sock
