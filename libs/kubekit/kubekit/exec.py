"""A command in a container, over one WebSocket to the API server.

The protocol is that of kubectl exec: each message begins with the number of a channel, and the last one on
channel 3 is a Status that tells how the command ended. See
https://kubernetes.io/docs/reference/using-api/api-concepts/ and KEP-4006.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Any, cast

import orjson
from aiohttp import ClientWebSocketResponse, WSMsgType

from kubekit.errors import Unreachable

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
"""The newest first; clusters before 1.30 know the second only."""

STDIN, STDOUT, STDERR, STATUS, RESIZE = range(5)

_ENDED = frozenset((WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR))


def exec_params(container: str, command: Sequence[str]) -> list[tuple[str, str]]:
    """The query of `pods/exec` for a command with a terminal."""
    fixed = {"container": container, "stdin": "true", "stdout": "true", "tty": "true"}
    return [*fixed.items(), *(("command", word) for word in command)]


class Exec:
    """A running command. `read` must be called all along: it answers the server's pings, too."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._status: dict[str, Any] | None = None
        self.heard = monotonic()
        """When the server last sent anything, a pong included; by the clock `time.monotonic`."""

    async def read(self) -> bytes | None:
        """The next output; None once the command has ended.

        Raises Unreachable when the connection ended before the command did.
        """
        while True:
            message = await self._socket.receive()
            if message.type in _ENDED:
                if self._status is None:
                    raise Unreachable("the connection to the container was lost")
                return None
            self.heard = monotonic()
            if message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.BINARY and message.data:
                channel, data = message.data[0], message.data[1:]
                if channel in (STDOUT, STDERR) and data:
                    return data
                if channel == STATUS:
                    self._status = _decoded(data)

    async def write(self, data: bytes) -> None:
        """Types `data`; waits while the server takes no more. Raises Unreachable."""
        await self._send(STDIN, data)

    async def resize(self, columns: int, rows: int) -> None:
        """Tells the command how large its terminal is. Raises Unreachable."""
        await self._send(RESIZE, orjson.dumps({"Width": columns, "Height": rows}))

    async def ping(self) -> None:
        """Asks for a sign of life, which keeps connections open that are closed when silent."""
        try:
            await self._socket.ping()
        except OSError as error:
            raise Unreachable("the connection to the container was lost") from error

    @property
    def failure(self) -> str:
        """Why the command could not run, or failed; empty when it ended well."""
        status = self._status or {}
        return "" if status.get("status") == "Success" else str(status.get("message") or "it failed")

    @property
    def exit_code(self) -> int | None:
        """Of a command that has ended; None where it never ran."""
        status = self._status or {}
        if status.get("status") == "Success":
            return 0
        details = cast("dict[str, Any]", status.get("details") or {})
        causes = cast("list[dict[str, str]]", details.get("causes") or [])
        codes = [int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
        return codes[0] if codes else None

    async def _send(self, channel: int, data: bytes) -> None:
        try:
            await self._socket.send_bytes(bytes((channel,)) + data)
        except OSError as error:
            raise Unreachable("the connection to the container was lost") from error


def _decoded(data: bytes) -> dict[str, Any]:
    """A Status; what is none, as the plain text of old API servers, is its message."""
    try:
        status = orjson.loads(data)
    except orjson.JSONDecodeError:
        status = data.decode("utf-8", "replace")
    return cast("dict[str, Any]", status) if isinstance(status, dict) else {"message": str(status)}
