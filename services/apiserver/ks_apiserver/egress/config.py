"""The section `egress`: which hosts that callers name may be reached, and within which limits."""

from pydantic import Field, field_validator

from ks_apiserver.egress.rules import Rules
from servicekit.quantities import Bytes, Seconds
from servicekit.section import Section


class EgressSection(Section):
    """Registries and repositories that callers ask to be checked."""

    allow: tuple[str, ...] = ()
    """Hosts that may be reached although their addresses are private: `registry.corp`, `*.corp`,
    `registry.corp:5000`, or addresses: `10.1.0.0/16`, `127.0.0.1:5000`."""
    only_allowed: bool = False
    """Whether nothing but what `allow` names may be reached."""
    timeout: Seconds = Field(default=15, gt=0, le=50)
    """For one check, all its requests and redirects together."""
    max_answer: Bytes = Field(default=4 * 1024 * 1024, ge=1024)
    """Bytes of one answer."""
    max_redirects: int = Field(default=3, ge=0, le=10)
    max_connections: int = Field(default=32, ge=1, le=1000)
    """At once, to all hosts."""

    @field_validator("allow")
    @classmethod
    def _check(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        Rules.of(value)
        return value
