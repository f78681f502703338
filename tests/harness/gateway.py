"""ks-apigateway between a client that writes bytes and an upstream that does what a test tells it to."""

import asyncio
import contextlib
import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import redis.asyncio as redis

from devstack.ports import free_port
from harness.services import RunningService, running_service

SECRET = "a secret that only the tests know, long enough"
CHUNK = 64 * 1024


def login_token(user: str, *, secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A token as ks-account makes it; `claims` over the usual ones, None to leave one out."""
    content = {
        "username": user,
        "email": f"{user}@example.com",
        "iat": 1_700_000_000,
        "typ": "access",
        **claims,
    }
    return jwt.encode({k: v for k, v in content.items() if v is not None}, secret, algorithm=algorithm)


def unsigned_token(claims: Mapping[str, Any]) -> str:
    """A token whose algorithm is `none`."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = (urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts)
    return f"{'.'.join(encoded)}."


def session_key(user: str, token: str) -> str:
    """The Redis key of a login."""
    return f"kubesphere:users:{user}:token:{token}"


@dataclass
class Answer:
    """One HTTP answer as it came over the wire. Header names are in lower case."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes
    trailers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        """The last value of each header."""
        return dict(self.fields)

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


class Wire:
    """A client's connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *parts: bytes | str) -> None:
        """Writes and flushes."""
        for part in parts:
            self.writer.write(part.encode() if isinstance(part, str) else part)
        await self.writer.drain()

    async def head(self) -> tuple[int, list[tuple[str, str]]]:
        """Status and headers of the next answer."""
        raw = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = raw[:-4].split("\r\n")
        return int(status.split(" ")[1]), [_field(line) for line in lines]

    async def answer(self, *, to_head: bool = False) -> Answer:
        """The next answer, read to its end.

        Raises IncompleteReadError when the connection ends before it does.
        """
        status, fields = await self.head()
        headers = dict(fields)
        answer = Answer(status, fields, b"")
        if to_head or status in (204, 304) or status < 200:
            return answer
        if headers.get("transfer-encoding") == "chunked":
            while chunk := await self.chunk():
                answer.body += chunk
            while line := (await self.reader.readuntil(b"\r\n"))[:-2]:
                answer.trailers.append(_field(line.decode()))
        elif "content-length" in headers:
            answer.body = await self.reader.readexactly(int(headers["content-length"]))
        else:
            answer.body = await self.reader.read(-1)
        return answer

    async def chunk(self) -> bytes:
        """The next chunk of a chunked body; empty at its end."""
        size = int((await self.reader.readuntil(b"\r\n"))[:-2], 16)
        if not size:
            return b""
        data = await self.reader.readexactly(size)
        await self.reader.readexactly(2)
        return data

    async def ended(self) -> bool:
        """Whether the other side closed, and sent nothing more."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        """Closes at once."""
        self.writer.close()


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()


@dataclass
class Received:
    """A request as it reached the upstream."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    length: int = 0
    digest: str = ""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    complete: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The last value of each header."""
        return dict(self.fields)

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.fields if key == name]


class Upstream:
    """Records what reaches it.

    The query parameter `do` of a request says how it answers; without it, an echo.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.received: list[Received] = []
        self.connections = 0
        self.open = 0
        self.release = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listens (again)."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1024 * 1024)

    async def stop(self) -> None:
        """Refuses connections, and breaks those there are."""
        assert self._server is not None
        self._server.close()
        self.drop()
        await asyncio.sleep(0)

    def drop(self) -> None:
        """Breaks every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self._writers.add(writer)
        try:
            wire = Wire(reader, writer)
            while await self._exchange(wire):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, wire: Wire) -> bool:
        try:
            raw = (await wire.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return False
        line, *lines = raw[:-4].split("\r\n")
        method, target, _ = line.split(" ")
        request = Received(method, target, [_field(each) for each in lines])
        self.received.append(request)
        parameters = parse_qs(target.partition("?")[2])
        do = parameters.get("do", ["echo"])[0]
        if do in ("early", "close", "hang", "duplex"):
            return await getattr(self, f"_do_{do}")(wire, request, parameters)
        if request.headers.get("expect") == "100-continue":
            await wire.send("HTTP/1.1 100 Continue\r\n\r\n")
        await self._read_body(wire, request)
        return await getattr(self, f"_do_{do}")(wire, request, parameters)

    async def _read_body(self, wire: Wire, request: Received) -> None:
        digest = hashlib.sha256()
        if request.headers.get("transfer-encoding") == "chunked":
            while chunk := await wire.chunk():
                digest.update(chunk)
                request.length += len(chunk)
            while line := (await wire.reader.readuntil(b"\r\n"))[:-2]:
                request.trailers.append(_field(line.decode()))
        left = int(request.headers.get("content-length", 0))
        while left:
            data = await wire.reader.read(min(left, CHUNK))
            if not data:
                raise ConnectionError("the body is not whole")
            left -= len(data)
            digest.update(data)
            request.length += len(data)
        request.digest = digest.hexdigest()
        request.complete = True

    async def _do_echo(self, wire: Wire, request: Received, _: Mapping[str, list[str]]) -> bool:
        body = json.dumps(
            {
                "method": request.method,
                "target": request.target,
                "fields": request.fields,
                "length": request.length,
                "digest": request.digest,
            }
        ).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        await wire.send(head, b"" if request.method == "HEAD" else body)
        return True

    async def _do_raw(self, wire: Wire, request: Received, parameters: Mapping[str, list[str]]) -> bool:
        """Answers with the bytes of the parameter `answer`; then waits for `release`, or goes on or ends."""
        await wire.send(parameters["answer"][0].encode("latin-1").decode("unicode_escape").encode("latin-1"))
        then = parameters.get("then", ["go on"])[0]
        if then == "wait":
            await self.release.wait()
        return then == "go on"

    async def _do_stream(self, wire: Wire, request: Received, parameters: Mapping[str, list[str]]) -> bool:
        """`bytes` bytes, chunked or with a length."""
        left = int(parameters["bytes"][0])
        chunked = "chunked" in parameters
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {left}"
        await wire.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n")
        block = bytes(range(256)) * (CHUNK // 256)
        while left:
            data = block[: min(left, CHUNK)]
            left -= len(data)
            await wire.send(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
        if chunked:
            await wire.send("0\r\n\r\n")
        return True

    async def _do_events(self, wire: Wire, request: Received, parameters: Mapping[str, list[str]]) -> bool:
        """One line now, and one more when the test says so."""
        await wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n")
        await self.release.wait()
        await wire.send("7\r\nsecond\n\r\n0\r\n\r\n")
        return True

    async def _do_upgrade(self, wire: Wire, request: Received, parameters: Mapping[str, list[str]]) -> bool:
        """Changes to the protocol that was asked for, and then echoes."""
        protocol = request.headers["upgrade"]
        await wire.send(
            f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\nhi "
        )
        while data := await wire.reader.read(CHUNK):
            await wire.send(data)
        return False

    async def _do_early(self, wire: Wire, request: Received, _: Mapping[str, list[str]]) -> bool:
        """Answers before the body has come."""
        await wire.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        return False

    async def _do_duplex(self, wire: Wire, request: Received, _: Mapping[str, list[str]]) -> bool:
        """Answers each chunk as it comes."""
        await wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while chunk := await wire.chunk():
            await wire.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await wire.reader.readexactly(2)
        await wire.send("0\r\n\r\n")
        return True

    async def _do_close(self, wire: Wire, request: Received, _: Mapping[str, list[str]]) -> bool:
        """Ends without an answer."""
        return False

    async def _do_hang(self, wire: Wire, request: Received, _: Mapping[str, list[str]]) -> bool:
        """Never answers; ends with the other side."""
        await wire.reader.read(-1)
        return False


@dataclass
class GatewayUnderTest:
    """A running gateway, the upstream behind every route but Kubernetes, and the sessions in its Redis."""

    service: RunningService
    upstream: Upstream
    sessions: "redis.Redis"
    ops_url: str

    @property
    def failures(self) -> list[str]:
        """Lines of its log that tell of an exception in code of its own."""
        lines = self.service.log.splitlines()
        return [line for line in lines if "Traceback" in line and "/ks_apigateway/" in line]

    async def connect(self) -> Wire:
        """A connection of a client."""
        return Wire(*await asyncio.open_connection("127.0.0.1", self.service.port, limit=4 * 1024 * 1024))

    @contextlib.asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        """The same, closed in the end."""
        wire = await self.connect()
        try:
            yield wire
        finally:
            wire.close()

    async def ask(self, head: str, body: bytes = b"", *, to_head: bool = False) -> Answer:
        """Sends one request, `head` with its own line ends, and reads the answer."""
        async with self.wire() as wire:
            await wire.send(head, body)
            return await wire.answer(to_head=to_head)

    async def get(self, path: str, *headers: str, token: str | None = None, method: str = "GET") -> Answer:
        """One request without a body."""
        lines = ["Host: gateway", *headers]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"
        return await self.ask(head, to_head=method == "HEAD")

    async def sign_in(self, user: str, **claims: Any) -> str:
        """A token of `user` with its session in Redis."""
        token = login_token(user, **claims)
        await self.sessions.set(session_key(user, token), "", ex=2400)
        return token

    async def sign_out(self, user: str, token: str) -> None:
        """Ends a session."""
        await self.sessions.delete(session_key(user, token))


def gateway_config(
    redis_port: int, kubeconfig: Path, upstream: str, ops_port: int, *, workers: int = 1, **section: Any
) -> dict[str, Any]:
    """kubesphere.yaml of a gateway whose services are all `upstream`; `section` is over its own section."""
    return {
        "redis": {"host": "127.0.0.1", "port": redis_port, "timeout": "1s"},
        "kubernetes": {"kubeconfig": str(kubeconfig)},
        "kubesphere": {"accountServer": upstream, "apiServer": upstream},
        "devops": {"host": upstream},
        "alerting": {"endpoint": upstream},
        "authentication": {"jwtSecret": SECRET},
        "server": {"workers": workers},
        "gateway": {"opsListen": f"127.0.0.1:{ops_port}", **section},
    }


@contextlib.asynccontextmanager
async def running_gateway(
    directory: Path, redis_port: int, kubeconfig: Path, **section: Any
) -> AsyncIterator[GatewayUnderTest]:
    """A gateway with an upstream of its own; `section` is over the section `gateway` of its configuration,
    but `workers`, which is how many processes serve.
    """
    upstream = Upstream()
    await upstream.start()
    ops_port = free_port()
    config = gateway_config(redis_port, kubeconfig, upstream.url, ops_port, **section)
    sessions = redis.Redis(port=redis_port)
    try:
        async with running_service("ks-apigateway", config, directory, ops_port=ops_port) as service:
            yield GatewayUnderTest(service, upstream, sessions, f"http://127.0.0.1:{ops_port}")
    finally:
        upstream.release.set()
        await sessions.aclose()
        await upstream.stop()
