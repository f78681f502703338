"""Static files, under addresses that change with their content, so that browsers may keep them for good."""

import hashlib
import mimetypes
from importlib.resources import files

from aiohttp import web

from servicekit.errors import NotFound

PREFIX = "/static"
_FOREVER = "public, max-age=31536000, immutable"


class Assets:
    """The files in this package's folder `static`, held in memory."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._content: dict[tuple[str, str], tuple[bytes, str]] = {}
        for file in files("ks_console").joinpath("static").iterdir():
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:16]
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            self._urls[file.name] = f"{PREFIX}/{digest}/{file.name}"
            self._content[digest, file.name] = content, kind

    def url(self, name: str) -> str:
        """The address of the file `name`."""
        return self._urls[name]

    async def serve(self, request: web.Request, digest: str, name: str) -> web.Response:
        found = self._content.get((digest, name))
        if found is None:
            raise NotFound("there is no such file")
        content, kind = found
        return web.Response(
            body=content,
            headers={
                "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
                "Cache-Control": _FOREVER,
            },
        )
