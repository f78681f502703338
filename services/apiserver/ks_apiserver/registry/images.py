"""Checks of registries and of images, with the credentials that a caller gives or may read."""

import base64
from binascii import Error as Base64Error
from typing import Any, cast

import orjson

from ks_apiserver.clients.secrets import Secrets
from ks_apiserver.egress.client import Egress, EgressError
from ks_apiserver.registry.client import Credentials, Registry, RegistryError
from ks_apiserver.registry.reference import MalformedReference, host_of, parse, registry_of
from kubekit.resource import Object
from servicekit.errors import BadRequest
from servicekit.identity import Identity

_TYPE = "kubernetes.io/dockerconfigjson"
_KEY = ".dockerconfigjson"


class Images:
    """Asks registries that callers name."""

    def __init__(self, egress: Egress, secrets: Secrets) -> None:
        self._egress = egress
        self._secrets = secrets

    async def verify(self, address: str, who: Credentials) -> None:
        """Returns when a registry accepts the credentials; raises BadRequest, saying why not, else."""
        scheme, host = registry_of(address)
        try:
            await Registry(self._egress, scheme, host, who).sign_in()
        except (EgressError, RegistryError) as error:
            raise BadRequest(str(error), reason="RegistryNotVerified") from None

    async def details(self, caller: Identity, image: str, namespace: str, secret: str) -> dict[str, Any]:
        """What an image is made of, read with a secret that the caller may read, or as anybody.

        As in v2.1.1, what the registry does not give is told in the answer; only what cannot be read as an
        image, or a secret that does not exist, is an error.
        """
        try:
            reference = parse(image)
        except MalformedReference as error:
            raise BadRequest(str(error)) from None
        found = await self._secrets.get(caller, namespace, secret) if namespace and secret else None
        host = host_of(reference.domain)
        try:
            scheme, who = ("https", Credentials()) if found is None else _credentials(found, host)
            registry = Registry(self._egress, scheme, host, who)
            manifest = await registry.manifest(reference)
            blob = await registry.blob(reference, str(manifest["config"].get("digest")))
        except (EgressError, RegistryError, AttributeError) as error:
            return {"status": "failed", "message": str(error)}
        return {
            "status": "succeeded",
            "imageManifest": manifest,
            "imageBlob": blob,
            "imageTag": reference.tag,
            "registry": reference.domain,
        }


def _credentials(secret: Object, host: str) -> tuple[str, Credentials]:
    """Scheme and credentials that a secret holds for a registry. Raises RegistryError."""
    metadata = secret["metadata"]
    where = f"secret {metadata['name']} in ns {metadata['namespace']}"
    if secret.get("type") != _TYPE:
        raise RegistryError(f"{where} type should be {_TYPE}")
    try:
        auths = orjson.loads(base64.b64decode(secret["data"][_KEY]))["auths"]
        entries = {registry_of(address): entry for address, entry in auths.items()}
    except (KeyError, TypeError, AttributeError, Base64Error, orjson.JSONDecodeError) as error:
        raise RegistryError(f"{where} holds no credentials of a registry") from error
    for (scheme, registry), entry in entries.items():
        if registry == host and isinstance(entry, dict):
            return scheme, _entry(cast("dict[str, Any]", entry))
    raise RegistryError(f"{where} holds no credentials for {host}")


def _entry(entry: dict[str, Any]) -> Credentials:
    if "username" in entry or "auth" not in entry:
        return Credentials(str(entry.get("username") or ""), str(entry.get("password") or ""))
    try:
        name, _, password = base64.b64decode(str(entry["auth"])).decode().partition(":")
    except (Base64Error, UnicodeDecodeError) as error:
        raise RegistryError("the credentials of the secret cannot be read") from error
    return Credentials(name, password)
