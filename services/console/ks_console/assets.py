"""The application's built files, under names that change with their content, so that browsers may keep them
for good."""

import mimetypes
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from aiohttp import web
from aiohttp.web_routedef import AbstractRouteDef

from servicekit.errors import NotFound

PREFIX = "/assets"
_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
    ".json": "application/json",
}
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""What the build has compressed, the best first."""


@dataclass(frozen=True, slots=True)
class File:
    """A file with the encodings that it is there in; `""` is the file as it is."""

    content_type: str
    bodies: dict[str, bytes]


class Assets:
    """The built files in memory. An application that was not built has none, and its page says so."""

    def __init__(self, folder: str = "") -> None:
        """`folder` is where they are, by default in this package."""
        root = Path(folder) if folder else Path(str(files("ks_console"))) / "dist"
        self._files = {file.name: _load(file) for file in sorted(root.glob("assets/*")) if _is_plain(file)}
        page = root / "index.html"
        self.page = page.read_text() if page.is_file() else None
        """The page that loads the application; None where it was not built."""

    def routes(self) -> list[AbstractRouteDef]:
        return [web.get(PREFIX + "/{name}", self.serve)]

    async def serve(self, request: web.Request) -> web.Response:
        """A file, in the best encoding that the browser takes."""
        found = self._files.get(request.match_info["name"])
        if found is None:
            raise NotFound("there is no such file", headers={"Cache-Control": "no-store"})
        accepted = {
            part.partition(";")[0].strip() for part in request.headers.get("Accept-Encoding", "").split(",")
        }
        encoding = next((each for each, _ in _ENCODINGS if each in accepted and each in found.bodies), "")
        headers = {"Content-Type": found.content_type, "Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
        if encoding:
            headers["Content-Encoding"] = encoding
        return web.Response(body=found.bodies[encoding], headers=headers)


def _is_plain(file: Path) -> bool:
    return file.is_file() and not file.name.endswith(tuple(suffix for _, suffix in _ENCODINGS))


def _load(file: Path) -> File:
    bodies = {"": file.read_bytes()}
    for encoding, suffix in _ENCODINGS:
        compressed = file.with_name(file.name + suffix)
        if compressed.is_file():
            bodies[encoding] = compressed.read_bytes()
    guessed = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return File(guessed, bodies)
