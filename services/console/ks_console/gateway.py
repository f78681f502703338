"""The gateway, as the console asks it: the only back end there is."""

from dataclasses import dataclass
from typing import Any, cast

import aiohttp
import orjson
from yarl import URL

from servicekit.clients import client_session
from servicekit.errors import ServiceError, TooManyRequests, Unauthorized, Unavailable

IAM = "/kapis/iam.kubesphere.io/v1alpha2"
LOGIN = f"{IAM}/login"
TOKEN = f"{IAM}/token"
CONFIGZ = "/kapis/v1alpha1/configz"
MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer that the console itself reads."""
DEFAULT_WAIT = 60
"""Seconds to wait where the gateway refuses for a while and does not say for how long."""
CONNECTIONS = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the gateway that was read to its end."""

    status: int
    body: bytes
    retry_after: str = ""

    def json(self) -> dict[str, Any]:
        """Its body, which must be an object. Raises Unavailable."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            value = None
        if not isinstance(value, dict):
            raise Unavailable("the gateway", f"it answered {self.status} with something unexpected")
        return cast("dict[str, Any]", value)

    def error(self) -> ServiceError:
        """What it says is wrong, to be raised; a failure of the gateway's own is Unavailable."""
        try:
            said = self.json()
        except ServiceError as unexpected:
            return unexpected
        message, reason = str(said.get("message", "")), str(said.get("reason", "")) or None
        if self.status == 429:
            seconds = int(self.retry_after) if self.retry_after.isdecimal() else DEFAULT_WAIT
            return TooManyRequests(message, retry_after=seconds, reason=reason)
        if self.status >= 500:
            return Unavailable("the gateway", message or f"it answered with status {self.status}")
        return ServiceError(message, status=self.status, reason=reason)


class Gateway:
    """Asks the gateway. Every method may raise Unavailable."""

    name = "gateway"

    def __init__(self, url: str, *, timeout: float):
        """`timeout` until an answer begins is in seconds."""
        self._url = url
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        if self._session is None:
            self._session = client_session(
                timeout=self._timeout, connections=CONNECTIONS, auto_decompress=False
            )

    async def check(self) -> None:
        """Any answer will do: what the gateway itself needs is its own to report."""
        await self.ask("GET", "/healthz")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """For requests whose answers are passed on as they come. Raises Unavailable."""
        if self._session is None:
            raise Unavailable("the gateway", "the console is still starting")
        return self._session

    def address(self, path: str) -> URL:
        """Of `path` with its query at the gateway, spelt exactly as the browser spelt it."""
        return URL(self._url + path, encoded=True)

    @property
    def timeout(self) -> float:
        """Seconds until an answer must begin."""
        return self._timeout

    async def log_in(self, username: str, password: str, address: str) -> dict[str, Any]:
        """The answer, with `access_token`, to who has this name and password, and asks from `address`.

        Raises Unauthorized, TooManyRequests, and whatever else the gateway says.
        """
        answer = await self.ask(
            "POST", LOGIN, json={"username": username, "password": password}, address=address
        )
        if answer.status in (400, 401):
            raise Unauthorized("the user name or the password is wrong", reason="WrongPassword")
        if answer.status != 200:
            raise answer.error()
        return answer.json()

    async def ask(
        self, method: str, path: str, *, token: str | None = None, address: str | None = None, **options: Any
    ) -> Answer:
        """The answer to a request on behalf of the owner of `token`, whose browser is at `address`."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if address is not None:
            headers["X-Forwarded-For"] = address
        try:
            async with self.session.request(
                method, self._url + path, headers=headers, allow_redirects=False, **options
            ) as answer:
                body = await answer.content.read(MAX_ANSWER)
                return Answer(answer.status, body, answer.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self.unavailable(error) from None

    def unavailable(self, error: BaseException) -> Unavailable:
        """The error of a request, in words."""
        if isinstance(error, TimeoutError):
            return Unavailable("the gateway", f"no answer within {self._timeout:g} s", retry_after=5)
        if isinstance(error, aiohttp.ClientConnectorError):
            why = f"{error.host}:{error.port}: {error.strerror or error.os_error}"
            return Unavailable("the gateway", why, retry_after=5)
        return Unavailable("the gateway", str(error) or type(error).__name__, retry_after=5)
