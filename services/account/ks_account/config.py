"""What the service is configured by: the common sections, and one of its own, `account`."""

import re

from pydantic import Field, field_validator

from ks_account.kubectl.config import KubectlSection
from ks_account.oidc.config import OidcProvider
from ks_account.sources.config import ExternalDirectory
from servicekit.config import Config
from servicekit.quantities import Seconds, parse_duration
from servicekit.section import Section

_RATE = re.compile(r"([1-9]\d*)/(\d+[smh])")


class AccountSection(Section):
    """Passwords, the limits on guessing them, and how the back ends are reached."""

    admin_email: str = "admin@kubesphere.io"
    """Of the administrator that is made with the first start."""
    password_rounds: int = Field(default=50_000, ge=1_000, le=10_000_000)
    """Rounds of SHA-512 crypt. Hashes of fewer rounds are renewed when their owner signs in."""
    auth_rate_limit: str = "5/30m"
    """Wrong passwords of one user from one address within that time, as v2.1.1 writes it: count/duration."""
    user_rate_limit: int = Field(default=50, ge=1)
    """Wrong passwords of one user, in the same time, from all addresses that the user never signed in from.
    """
    address_rate_limit: int = Field(default=200, ge=1)
    """Wrong passwords from one address, in the same time, of all users."""
    max_sessions: int = Field(default=50, ge=1, le=1000)
    """Of one user, where authentication.multiLogin is on; the oldest ends when one more begins."""
    force_password_change: bool = True
    """Whether the first administrator must set another password before anything else."""
    api_tokens: int = Field(default=50, ge=0, le=1000)
    """API tokens of one user."""
    api_token_lifetime: Seconds = Field(default=366 * 86400, gt=0)
    """The longest that an API token may be good for."""
    directories: tuple[ExternalDirectory, ...] = ()
    """Whose people sign in here with their passwords there."""
    oidc: tuple[OidcProvider, ...] = ()
    """Where one may sign in besides."""
    pool_wait: Seconds = Field(default=5, gt=0)
    """How long a request waits for a connection to LDAP or Redis when all are in use."""
    list_kept: Seconds = Field(default=10, ge=0, le=3600)
    """How long the list of all users is kept. What this service changes shows at once all the same."""
    ldap_start_tls: bool = False
    """Whether connections to ldap:// are encrypted by StartTLS."""
    ldap_ca_file: str | None = None
    """The authorities that the directory's certificate must come from; by default the system's."""

    @field_validator("auth_rate_limit")
    @classmethod
    def _check_rate(cls, value: str) -> str:
        if not _RATE.fullmatch(value):
            raise ValueError("must be a count and a time, such as 5/30m")
        return value

    @field_validator("oidc")
    @classmethod
    def _check_names(cls, value: tuple[OidcProvider, ...]) -> tuple[OidcProvider, ...]:
        names = [provider.name for provider in value]
        if len(set(names)) != len(names) or "providers" in names:
            raise ValueError("each provider needs a name of its own, other than providers")
        return value

    @property
    def failures(self) -> int:
        """The count of `auth_rate_limit`."""
        return int(self.auth_rate_limit.partition("/")[0])

    @property
    def window(self) -> float:
        """The time of `auth_rate_limit` in seconds."""
        return parse_duration(self.auth_rate_limit.partition("/")[2])


class AccountConfig(Config):
    """The configuration of ks-account."""

    account: AccountSection = AccountSection()
    kubectl: KubectlSection = KubectlSection()
