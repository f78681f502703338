"""One line a request, written when its answer is out."""

import logging
import re
from typing import Any
from urllib.parse import unquote_plus

import orjson
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from servicekit import logs
from servicekit.identity import Identity
from servicekit.keys import IDENTITY, REQUEST_ID
from servicekit.lines import Clock, Lines

_PARAMETER = re.compile(r"(?<=[?&])([^=&]+)=[^&]*")
_SECRETS = frozenset(("token", "access_token", "refresh_token", "password", "secret", "code"))
_OPERATIONAL = frozenset(("/healthz", "/readyz", "/metrics"))
_MAX_PATH = 2048
"""Characters of a path that are logged."""

_lines = Lines()
_clock = Clock()
# aiohttp makes an AccessLog for each connection: they share these.


class AccessLog(AbstractAccessLogger):
    """Logs method, path without secrets, status, seconds, bytes, and user as fields."""

    def __init__(self, logger: logging.Logger, log_format: str) -> None:
        super().__init__(logger, log_format)
        self._as_json = logs.writes_json()

    @property
    def enabled(self) -> bool:
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        level = logging.DEBUG if request.path in _OPERATIONAL else logging.INFO
        if not self.logger.isEnabledFor(level):
            return
        fields = _fields(request, response, time)
        if self._as_json:
            # What the logging module would write, without its record of each request.
            line = {
                "time": _clock.now(),
                "level": "debug" if level == logging.DEBUG else "info",
                "logger": self.logger.name,
                "message": f"{request.method} {response.status}",
                "requestId": request.get(REQUEST_ID, ""),
                **fields,
            }
            _lines.add(orjson.dumps(line, default=str))
        else:
            self.logger.log(level, "%s %s", request.method, response.status, extra=fields)


def flush() -> None:
    """Writes the lines that wait."""
    _lines.flush()


def _fields(request: web.BaseRequest, response: web.StreamResponse, time: float) -> dict[str, Any]:
    identity: Identity | None = request.get(IDENTITY)
    fields: dict[str, Any] = {
        "method": request.method,
        "path": mask(request.path_qs)[:_MAX_PATH],
        "status": response.status,
        "seconds": round(time, 6),
        "bytes": response.body_length,
        "address": identity.address if identity is not None else request.remote,
    }
    if identity is not None:
        fields["user"] = identity.user
    return fields


def mask(path: str) -> str:
    """The path with its query, without the values of parameters that are secrets, however written."""
    return _PARAMETER.sub(_mask, path) if "?" in path or "&" in path else path


def _mask(parameter: re.Match[str]) -> str:
    is_secret = unquote_plus(parameter[1]).lower() in _SECRETS
    return f"{parameter[1]}=***" if is_secret else parameter[0]
