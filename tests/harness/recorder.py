"""An upstream that takes nothing for granted: it reads what reaches it strictly, and notes what is wrong."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

from servicekit.errors import Unauthorized
from servicekit.identity import IDENTITY_HEADER, IdentityVerifier

_LINE = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[!-~]*) HTTP/1\.1")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\x80-\xff]*)")
_FORBIDDEN = re.compile(rb"x-token-|impersonate-|x-remote-|x-http-method")
_ALLOWED_PATH = re.compile(rb"/open(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?")
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Recorder:
    """Counts requests for paths below /open; `wrong` are those that should never have come so far."""

    def __init__(self, secret: str) -> None:
        self.requests = 0
        self.wrong: list[str] = []
        self.url = ""
        self._verifier = IdentityVerifier(secret.encode())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers requests on one connection until it ends."""
        try:
            while await self._one(reader):
                self.requests += 1
                writer.write(_ANSWER)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left in the middle, and the gateway with it
        except (ValueError, asyncio.LimitOverrunError) as error:
            self.wrong.append(str(error))
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader) -> bool:
        """Reads a request to its end; False when there is none. Raises ValueError for one that is wrong."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as ended:
            if ended.partial:
                raise ValueError(f"half a head: {ended.partial[:200]!r}") from None
            return False
        line, *lines = head[:-4].split(b"\r\n")
        fields = self._fields(lines, head)
        self._check_target(line, head)
        self._check_identity(fields, head)
        await self._body(reader, fields, head)
        return True

    def _fields(self, lines: list[bytes], head: bytes) -> dict[bytes, list[bytes]]:
        fields: dict[bytes, list[bytes]] = {}
        for line in lines:
            match = _FIELD.fullmatch(line)
            if match is None or _is_forbidden(match[1]):
                raise ValueError(f"header {line!r} in {head!r}")
            fields.setdefault(match[1].lower(), []).append(match[2])
        return fields

    def _check_target(self, line: bytes, head: bytes) -> None:
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"request line in {head!r}")
        path = match[2].partition(b"?")[0]
        segments = path.lower().replace(b"%2e", b".").split(b"/")
        if not _ALLOWED_PATH.fullmatch(path) or b".." in segments or b"%2f" in path.lower() or b"//" in path:
            raise ValueError(f"path {path!r}")

    def _check_identity(self, fields: dict[bytes, list[bytes]], head: bytes) -> None:
        name = IDENTITY_HEADER.lower().encode()
        for wanted in (b"host", name):
            if len(fields.get(wanted, ())) != 1:
                raise ValueError(f"{wanted!r} is not there once in {head!r}")
        try:
            identity = self._verifier.verify(fields[name][0].decode())
        except Unauthorized as refused:
            raise ValueError(f"{refused.message} in {head!r}") from None
        if not identity.is_anonymous:
            raise ValueError(f"somebody in {head!r}")

    async def _body(
        self, reader: asyncio.StreamReader, fields: dict[bytes, list[bytes]], head: bytes
    ) -> None:
        lengths, codings = fields.get(b"content-length", []), fields.get(b"transfer-encoding", [])
        if len(lengths) + len(codings) > 1:
            raise ValueError(f"two framings in {head!r}")
        if lengths:
            if not lengths[0].isdigit():
                raise ValueError(f"length in {head!r}")
            await reader.readexactly(int(lengths[0]))
        if codings:
            if codings != [b"chunked"]:
                raise ValueError(f"coding in {head!r}")
            await self._chunks(reader)

    async def _chunks(self, reader: asyncio.StreamReader) -> None:
        while True:
            size = (await reader.readuntil(b"\r\n"))[:-2]
            if not re.fullmatch(rb"[0-9a-f]{1,8}", size):
                raise ValueError(f"chunk size {size!r}")
            if int(size, 16) == 0:
                break
            if not (await reader.readexactly(int(size, 16) + 2)).endswith(b"\r\n"):
                raise ValueError("a chunk has no end")
        while line := (await reader.readuntil(b"\r\n"))[:-2]:
            match = _FIELD.fullmatch(line)
            if match is None or _is_forbidden(match[1]):
                raise ValueError(f"trailer {line!r}")


def _is_forbidden(name: bytes) -> bool:
    return _FORBIDDEN.match(name.lower().replace(b"_", b"-")) is not None


@contextlib.asynccontextmanager
async def recorder(secret: str) -> AsyncIterator[Recorder]:
    """A running one."""
    found = Recorder(secret)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0, limit=1024 * 1024)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
