"""What the parts of an application keep in it and in its requests."""

from collections.abc import Mapping

from aiohttp import web

from servicekit.config import Config
from servicekit.health import Health
from servicekit.identity import Identity

CONFIG: web.AppKey[Config] = web.AppKey("config", Config)
HEALTH: web.AppKey[Health] = web.AppKey("health", Health)

HEADERS: web.AppKey[Mapping[str, str]] = web.AppKey("headers", Mapping[str, str])
"""What every response carries, unless its handler says otherwise."""

IDENTITY: web.RequestKey[Identity] = web.RequestKey("identity", Identity)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
