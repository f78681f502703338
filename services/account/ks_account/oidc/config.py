"""What is configured of a provider of OpenID Connect: one item of `account.oidc`."""

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from servicekit.quantities import Seconds
from servicekit.section import Section

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class OidcProvider(Section):
    """One provider, found by its issuer (OpenID Connect Discovery 1.0)."""

    name: str
    """Of its routes, as in /oauth/{name}/callback."""
    title: str = ""
    """For people; by default the name."""
    issuer: str
    client_id: str
    client_secret: SecretStr = SecretStr("")
    """Empty for a public client, which PKCE alone protects."""
    redirect_url: str
    """Where the provider sends users back to: .../kapis/iam.kubesphere.io/v1alpha2/oauth/{name}/callback, as
    browsers reach it."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    username_claim: str = "preferred_username"
    groups_claim: str = ""
    """Of a list of groups; without it the provider says nothing of groups."""
    groups_prefix: str = ""
    """Stands before each of them, so that they are not taken for others' groups."""
    create_users: bool = True
    """Whether who is not known yet becomes a user."""
    trust_email: bool = False
    """Whether a verified e-mail of this provider makes its owner the user here who has the same."""
    timeout: Seconds = Field(default=10, gt=0)

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("must be lower case letters, digits and dashes, at most 32")
        return value

    @field_validator("issuer", "redirect_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        parts = urlsplit(value)
        plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not parts.hostname or not (parts.scheme == "https" or plain) or parts.query or parts.fragment:
            raise ValueError("must be an https:// address (http:// on this machine alone)")
        return value
