"""The Docker Registry HTTP API v2, with tokens.

https://distribution.github.io/distribution/spec/api/ and .../spec/auth/token/.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

import orjson

from ks_apiserver.egress.client import Answer, Egress
from ks_apiserver.registry.reference import Reference

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEXES = frozenset(
    (
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    )
)
_ACCEPT = ", ".join((MANIFEST, _OCI_MANIFEST, *sorted(_INDEXES)))
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class RegistryError(Exception):
    """The registry did not give what was asked for; the text is for the caller."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of somebody at a registry; empty for anybody."""

    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def basic(self) -> dict[str, str]:
        """The header that carries them."""
        if not self.username and not self.password:
            return {}
        pair = f"{self.username}:{self.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


class Registry:
    """One registry, as somebody. Raises RegistryError and EgressError."""

    def __init__(self, egress: Egress, scheme: str, host: str, who: Credentials) -> None:
        self._egress = egress
        self._root = f"{scheme}://{host}"
        self._host = host
        self._who = who
        self._authorization: dict[str, str] = {}

    async def sign_in(self) -> None:
        """Returns when the credentials are good."""
        answer = await self._get("/v2/")
        if answer.status in (401, 403):
            raise RegistryError(f"{self._host} does not accept this user name and password")
        if answer.status != 200:
            raise RegistryError(f"{self._host} is no registry of images: it answers {answer.status}")

    async def manifest(self, image: Reference) -> dict[str, Any]:
        """The manifest of an image; of one for several platforms, that for Linux on amd64."""
        found = await self._manifest(image.path, image.version)
        if found.get("mediaType") in _INDEXES or "manifests" in found:
            found = await self._manifest(image.path, _amd64(found))
        if "config" not in found:
            raise RegistryError("the manifest is of a kind that is not read here")
        return found

    async def blob(self, image: Reference, digest: str) -> dict[str, Any]:
        """A blob that is JSON, as the configuration of an image; checked against its digest."""
        if not _DIGEST.fullmatch(digest):
            raise RegistryError("the manifest names its configuration by no digest")
        answer = self._expect(await self._get(f"/v2/{image.path}/blobs/{digest}", image.path), "blob")
        if hashlib.sha256(answer.body).hexdigest() != digest.removeprefix("sha256:"):
            raise RegistryError("the configuration of the image is not what its digest says")
        return _json(answer)

    async def _manifest(self, path: str, version: str) -> dict[str, Any]:
        answer = await self._get(f"/v2/{path}/manifests/{version}", path, {"Accept": _ACCEPT})
        return _json(self._expect(answer, "image"))

    async def _get(self, path: str, of: str = "", headers: dict[str, str] | None = None) -> Answer:
        url, sent = self._root + path, headers or {}
        answer = await self._egress.get(url, {**sent, **self._authorization})
        if answer.status == 401 and not self._authorization:
            self._authorization = await self._authorize(answer, of)
            if self._authorization:
                answer = await self._egress.get(url, {**sent, **self._authorization})
        return answer

    async def _authorize(self, refused: Answer, of: str) -> dict[str, str]:
        """What the challenge asks for: the password itself, or a token that another server gives for it."""
        scheme, _, rest = _header(refused, "WWW-Authenticate").partition(" ")
        if scheme.lower() == "basic":
            return self._who.basic
        parameters = dict(_PARAMETER.findall(rest))
        realm = parameters.get("realm", "")
        if scheme.lower() != "bearer" or not realm:
            return {}
        if self._root.startswith("https:") and not realm.startswith("https:"):
            raise RegistryError(f"{self._host} sends passwords over a connection that is not encrypted")
        asked = {"service": parameters.get("service", "")}
        if of:
            asked["scope"] = f"repository:{of}:pull"
        mark = "&" if "?" in realm else "?"
        answer = await self._egress.get(f"{realm}{mark}{urlencode(asked)}", self._who.basic)
        if answer.status != 200:
            return {}
        token = _json(answer).get("token") or _json(answer).get("access_token")
        return {"Authorization": f"Bearer {token}"} if isinstance(token, str) and token.isprintable() else {}

    def _expect(self, answer: Answer, what: str) -> Answer:
        if answer.status == 200:
            return answer
        if answer.status in (401, 403):
            raise RegistryError(f"{self._host} does not let this user read the {what}")
        if answer.status == 404:
            raise RegistryError(f"{self._host} has no such {what}")
        raise RegistryError(f"{self._host} answers {answer.status} when asked for the {what}")


def _amd64(index: dict[str, Any]) -> str:
    """The digest of the manifest for Linux on amd64, else of the first."""
    try:
        manifests: list[dict[str, Any]] = index["manifests"]
        platforms = [(each.get("platform") or {}, str(each["digest"])) for each in manifests]
        fitting = [
            digest
            for platform, digest in platforms
            if (platform.get("os"), platform.get("architecture")) == ("linux", "amd64")
        ]
        found = (fitting or [platforms[0][1]])[0]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise RegistryError("the list of the image's platforms is not one") from error
    if not _DIGEST.fullmatch(found):
        raise RegistryError("the list of the image's platforms names no digest")
    return found


def _json(answer: Answer) -> dict[str, Any]:
    try:
        decoded = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        decoded = None
    if not isinstance(decoded, dict):
        raise RegistryError("the registry answers what is no JSON object")
    return cast("dict[str, Any]", decoded)


def _header(answer: Answer, name: str) -> str:
    return next((value for key, value in answer.headers.items() if key.lower() == name.lower()), "")
