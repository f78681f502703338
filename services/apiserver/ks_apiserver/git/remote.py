"""Whether a repository can be read: the discovery of its references over smart HTTP.

https://git-scm.com/docs/http-protocol#_smart_clients
"""

import base64
from binascii import Error as Base64Error

from ks_apiserver.clients.secrets import Secrets
from ks_apiserver.egress.client import Egress, EgressError
from ks_apiserver.registry.client import Credentials
from kubekit.resource import Object
from servicekit.errors import BadRequest
from servicekit.identity import Identity

_SERVICE = "git-upload-pack"
_ANSWERED = b"001e# service=git-upload-pack\n"


class Remotes:
    """Asks repositories that callers name."""

    def __init__(self, egress: Egress, secrets: Secrets) -> None:
        self._egress = egress
        self._secrets = secrets

    async def verify(self, caller: Identity, url: str, namespace: str, secret: str) -> None:
        """Returns when the repository can be read, with a secret that the caller may read or as anybody;
        raises BadRequest, saying why not, else.
        """
        who = Credentials()
        if secret:
            who = _credentials(await self._secrets.get(caller, namespace, secret))
        try:
            await self._read(url, who)
        except EgressError as error:
            raise _refused(str(error)) from None

    async def _read(self, url: str, who: Credentials) -> None:
        at = f"{url.rstrip('/')}/info/refs?service={_SERVICE}"
        answer = await self._egress.get(at, who.basic)
        if answer.status in (401, 403):
            raise _refused("the repository needs another user name and password: authentication required")
        if answer.status == 404:
            raise _refused("repository not found")
        if answer.status != 200 or not answer.body.startswith(_ANSWERED):
            raise _refused("there is no repository that git could read over HTTP at this address")


def _credentials(secret: Object) -> Credentials:
    data = secret.get("data") or {}
    name = secret["metadata"]["name"]
    for key in ("username", "password"):
        if key not in data:
            raise _refused(f"could not get {key} in secret {name}")
    try:
        return Credentials(*(base64.b64decode(data[key]).decode() for key in ("username", "password")))
    except (Base64Error, UnicodeDecodeError):
        raise _refused(f"user name and password in secret {name} are no text") from None


def _refused(why: str) -> BadRequest:
    return BadRequest(why, reason="RepositoryNotVerified")
