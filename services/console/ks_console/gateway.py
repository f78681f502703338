"""The gateway, as the console asks it: the only back end there is."""

import logging
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
import orjson

from servicekit.clients import client_session

log = logging.getLogger(__name__)

LOGIN = "/kapis/iam.kubesphere.io/v1alpha2/login"
TOKEN = "/kapis/iam.kubesphere.io/v1alpha2/token"  # noqa: S105  a path
WORKSPACES = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"
PAGE = 50
"""Workspaces that the first page shows."""
MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer that are read."""
DEFAULT_WAIT = 60
"""Seconds to wait where the gateway refuses for a while and does not say for how long."""


class GatewayDown(Exception):
    """The gateway does not answer, or what it needs is down; the text says why."""


class WrongPassword(Exception):
    """No user has this name and this password."""


class SessionEnded(Exception):
    """The token is not, or no longer, good for anything."""


class TooManyAttempts(Exception):
    """Refused for now; `seconds` says for how long."""

    def __init__(self, seconds: int):
        super().__init__(f"try again in {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the first page shows of a workspace."""

    name: str
    alias: str
    description: str
    manager: str
    projects: str
    members: str


@dataclass(frozen=True, slots=True)
class Workspaces:
    """The first of them, and how many there are."""

    items: list[Workspace]
    total: int


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after: str

    def json(self) -> dict[str, Any]:
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise GatewayDown("it answered something that is not JSON") from None
        if not isinstance(value, dict):
            raise GatewayDown("it answered something unexpected")
        return cast("dict[str, Any]", value)


class Gateway:
    """Asks the gateway. Every method may raise GatewayDown."""

    name = "gateway"

    def __init__(self, url: str, *, timeout: float):
        """`timeout` of one answer is in seconds."""
        self._url = url
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        if self._session is None:
            self._session = client_session(timeout=self._timeout)

    async def check(self) -> None:
        """Any answer will do: what the gateway itself needs is its own to report."""
        await self._ask("GET", "/healthz")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def log_in(self, username: str, password: str, address: str) -> str:
        """A token for who has this name and password, and asks from `address`.

        Raises WrongPassword, TooManyAttempts.
        """
        answer = await self._ask(
            "POST", LOGIN, json={"username": username, "password": password}, address=address
        )
        if answer.status in (400, 401, 403):
            raise WrongPassword
        _expect_success(answer)
        token = answer.json().get("access_token")
        if not isinstance(token, str) or not token:
            raise GatewayDown("its answer to the login holds no token")
        return token

    async def log_out(self, token: str, address: str) -> None:
        """Ends the session of `token`."""
        answer = await self._ask("DELETE", TOKEN, token=token, address=address)
        if answer.status >= 400:
            log.warning(
                "the gateway answered %s to the end of a session: the token lives on until it is idle",
                answer.status,
            )

    async def workspaces(self, token: str, address: str) -> Workspaces:
        """The workspaces that the bearer of `token` sees. Raises SessionEnded, TooManyAttempts."""
        params = {"paging": f"limit={PAGE},page=1"}
        answer = await self._ask("GET", WORKSPACES, params=params, token=token, address=address)
        if answer.status == 401:
            raise SessionEnded
        _expect_success(answer)
        body = answer.json()
        items, total = body.get("items"), body.get("total_count")
        rows = [_workspace(item) for item in items] if isinstance(items, list) else []
        return Workspaces(rows, total if isinstance(total, int) else len(rows))

    async def _ask(
        self, method: str, path: str, *, token: str | None = None, address: str | None = None, **options: Any
    ) -> _Answer:
        if self._session is None:
            raise GatewayDown("the console is still starting")
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if address is not None:
            headers["X-Forwarded-For"] = address
        try:
            async with self._session.request(
                method, self._url + path, headers=headers, allow_redirects=False, **options
            ) as answer:
                body = await answer.content.read(MAX_ANSWER)
                return _Answer(answer.status, body, answer.headers.get("Retry-After", ""))
        except TimeoutError:
            raise GatewayDown(f"no answer within {self._timeout:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise GatewayDown(f"{error.host}:{error.port}: {error.strerror or error.os_error}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise GatewayDown(str(error) or type(error).__name__) from None


def _expect_success(answer: _Answer) -> None:
    if answer.status == 429:
        raise TooManyAttempts(int(answer.retry_after) if answer.retry_after.isdecimal() else DEFAULT_WAIT)
    if answer.status != 200:
        log.warning("the gateway answered %s: %s", answer.status, answer.body[:500].decode(errors="replace"))
        raise GatewayDown(f"it answered with status {answer.status}")


def _workspace(item: object) -> Workspace:
    whole = _mapping(item)
    metadata = _mapping(whole.get("metadata"))
    annotations = _mapping(metadata.get("annotations"))
    return Workspace(
        name=str(metadata.get("name", "")),
        alias=str(annotations.get("kubesphere.io/alias-name", "")),
        description=str(annotations.get("kubesphere.io/description", "")),
        manager=str(_mapping(whole.get("spec")).get("manager", "")),
        projects=str(annotations.get("kubesphere.io/namespace-count", "")),
        members=str(annotations.get("kubesphere.io/member-count", "")),
    )


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
