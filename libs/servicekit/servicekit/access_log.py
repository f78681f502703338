"""One line a request, written when its answer is out."""

import logging
import re
from urllib.parse import unquote_plus

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from servicekit.identity import Identity
from servicekit.keys import IDENTITY

_PARAMETER = re.compile(r"(?<=[?&])([^=&]+)=[^&]*")
_SECRETS = frozenset(("token", "access_token", "refresh_token", "password", "secret", "code"))
_OPERATIONAL = frozenset(("/healthz", "/readyz", "/metrics"))
_MAX_PATH = 2048
"""Characters of a path that are logged."""


class AccessLog(AbstractAccessLogger):
    """Logs method, path without secrets, status, seconds, bytes, and user as fields."""

    @property
    def enabled(self) -> bool:
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        level = logging.DEBUG if request.path in _OPERATIONAL else logging.INFO
        if not self.logger.isEnabledFor(level):
            return
        identity: Identity | None = request.get(IDENTITY)
        fields = {
            "method": request.method,
            "path": mask(request.path_qs)[:_MAX_PATH],
            "status": response.status,
            "seconds": round(time, 6),
            "bytes": response.body_length,
            "address": identity.address if identity is not None else request.remote,
        }
        if identity is not None:
            fields["user"] = identity.user
        self.logger.log(level, "%s %s", request.method, response.status, extra=fields)


def mask(path: str) -> str:
    """The path with its query, without the values of parameters that are secrets, however written."""
    return _PARAMETER.sub(_mask, path)


def _mask(parameter: re.Match[str]) -> str:
    is_secret = unquote_plus(parameter[1]).lower() in _SECRETS
    return f"{parameter[1]}=***" if is_secret else parameter[0]
