"""Swagger UI: its files from the package swagger-ui-py, and a page that starts it without inline script."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from servicekit.errors import NotFound

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_INDEX = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>KubeSphere API</title>
<link rel="icon" href="/swagger-ui/favicon-32x32.png">
<link rel="stylesheet" href="/swagger-ui/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/swagger-ui/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({
  url: "/openapi/v3/kapis",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"""


class Asset(NamedTuple):
    """A file of the page."""

    body: bytes
    content_type: str


@lru_cache(maxsize=8)
def asset(name: str) -> Asset:
    """The file `name`; the page itself is the empty name. Raises NotFound for what is not part of it."""
    if name in ("", "index.html"):
        return Asset(_INDEX, "text/html")
    if name == "start.js":
        return Asset(_START, "text/javascript")
    kind = _FILES.get(name)
    if kind is None:
        raise NotFound("there is nothing at this path")
    return Asset((_folder() / name).read_bytes(), kind)


def _folder() -> Path:
    """Where the files are. Importing the package would import web frameworks that it serves, and no use."""
    found = find_spec("swagger_ui")
    if found is None or not found.submodule_search_locations:
        raise NotFound("the files of Swagger UI are not installed")
    return Path(found.submodule_search_locations[0]) / "static"
