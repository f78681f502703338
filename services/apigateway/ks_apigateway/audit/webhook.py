"""Audit events sent in batches to a service, as the API server sends its own."""

import asyncio
import ssl

import aiohttp

from ks_apigateway.audit.settings import WebhookSettings

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds between two attempts."""
_PASSING = frozenset((408, 425, 429))
"""Statuses below 500 after which another attempt makes sense."""


class NotTaken(Exception):
    """The service did not take a batch. `passing`: another attempt may succeed."""

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


class WebhookSink:
    """POSTs an EventList. A batch is sent again until it is taken, is refused for good, or was tried often
    enough.
    """

    name = "webhook"

    def __init__(self, settings: WebhookSettings) -> None:
        """Raises OSError when the file with certificates cannot be used."""
        self.batch = settings.batch
        self._settings = settings
        self._tls = ssl.create_default_context(cafile=settings.ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def write(self, events: list[bytes]) -> None:
        """Raises NotTaken."""
        body = b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[%b]}' % b",".join(
            event.rstrip(b"\n") for event in events
        )
        pause = FIRST_PAUSE
        for attempt in range(1, self._settings.attempts + 1):
            try:
                await self._send(body)
                return
            except NotTaken as problem:
                if not problem.passing or attempt == self._settings.attempts:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _send(self, body: bytes) -> None:
        if self._session is None:
            self._session = self._connected()
        try:
            async with self._session.post(
                self._settings.url, data=body, ssl=self._tls, allow_redirects=False
            ) as answer:
                if answer.status >= 300:
                    passing = answer.status >= 500 or answer.status in _PASSING
                    raise NotTaken(f"it answered {answer.status}", passing=passing)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NotTaken(str(error) or type(error).__name__, passing=True) from error

    def _connected(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json"}
        token = self._settings.token.get_secret_value()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
