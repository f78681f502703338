"""The few requests that localkube itself sends to an API server."""

import http.client
import json
import ssl
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from localkube.errors import LocalkubeError, Unanswered
from localkube.pki import KeyPair

Object = dict[str, Any]
_TIMEOUT = 10.0


def unix_time(text: str) -> float:
    """The Unix time of an API timestamp (RFC 3339)."""
    return datetime.fromisoformat(text).timestamp()


class ApiError(LocalkubeError):
    """The API server refused a request."""

    def __init__(self, status: int, message: str):
        super().__init__(f"the API server answered {status}: {message}")
        self.status = status


class Api:
    """A client with a certificate, whose methods raise Unanswered or ApiError.

    Each request has its own connection: it asks seldom, and servers come and go.
    """

    def __init__(self, url: str, authority: str, client: KeyPair):
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._tls = ssl.create_default_context(cafile=authority)
        self._tls.load_cert_chain(client.certificate, client.key)

    def ready(self) -> bool:
        """Whether /readyz answers ok."""
        try:
            return self._request("GET", "/readyz")[0] == 200
        except Unanswered:
            return False

    def get(self, path: str) -> Object | None:
        """The object at `path`, None when there is none."""
        status, body = self._request("GET", path)
        return None if status == 404 else _checked(status, body)

    def apply(self, path: str, wanted: Object) -> Object:
        """Make the object at `path` be as `wanted` says (server-side apply)."""
        status, body = self._request("PATCH", f"{path}?fieldManager=localkube&force=true", wanted)
        return _checked(status, body)

    def _request(self, method: str, path: str, body: Object | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=_TIMEOUT, context=self._tls)
        try:
            headers = {"Content-Type": "application/apply-patch+yaml"} if body else {}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as failure:
            raise Unanswered(f"{method} {path}: {failure or type(failure).__name__}") from failure
        finally:
            connection.close()


def _checked(status: int, body: bytes) -> Object:
    if status == 429 or status >= 500:
        raise Unanswered(f"the API server answered {status}: {body.decode(errors='replace')[:500]}")
    if status >= 400:
        raise ApiError(status, body.decode(errors="replace")[:500])
    return json.loads(body)
