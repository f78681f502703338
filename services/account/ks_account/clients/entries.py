"""Users as the directory holds them, and conditions to find them by (filters of RFC 4515)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ldap3.utils.conv import escape_filter_chars

SHADOW = "shadowAccount"
"""The auxiliary class of RFC 2307 with what shadow(5) knows of an account."""
EXPIRE, LOCKED = "shadowExpire", "1"
"""The day after which an account is of no use, and a day long gone, as `usermod --expiredate 1` sets it."""
LAST_CHANGE, MUST_CHANGE = "shadowLastChange", "0"
"""The day of the last change of the password; 0 says that it must be changed at the next login."""
TIE = "labeledURI"
"""Who the user is elsewhere: an issuer of OpenID Connect and its subject, or a name in another directory."""
ELSEWHERE = "ldap:"
"""How a tie to a directory of others begins; its name and the user name there follow."""
NOT_LOCKED = f"(!({EXPIRE}={LOCKED}))"
"""A condition: the user is not locked."""


@dataclass(frozen=True, slots=True)
class UserEntry:
    """A user as the directory holds it; `created` is RFC 3339 in UTC."""

    dn: str
    username: str
    email: str
    description: str
    lang: str
    created: str
    password: bytes = field(default=b"", repr=False)
    locked: bool = False
    """Nobody may sign in as this user."""
    must_change: bool = False
    """The password was given by somebody else, and serves for nothing but setting another."""
    ties: tuple[str, ...] = ()
    """Who the user is elsewhere."""
    groups: tuple[str, ...] = ()
    """What whoever vouched for the user at this login says of groups; not of this directory."""
    classes: frozenset[str] = frozenset()
    """The object classes in lower case."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether the password of the user is in a directory of others."""
        return any(tie.startswith(ELSEWHERE) for tie in self.ties)


def contains(text: str, *attributes: str) -> str:
    """A condition: one of `attributes` contains `text`."""
    part = escape_filter_chars(text)
    return "(|" + "".join(f"({attribute}=*{part}*)" for attribute in attributes) + ")"


def equals(attribute: str, values: Iterable[str]) -> str:
    """A condition: `attribute` is one of `values`."""
    return "(|" + "".join(f"({attribute}={escape_filter_chars(value)})" for value in values) + ")"


Attributes = Mapping[str, list[bytes]]
"""The values of each attribute of an entry."""


def user_of(dn: str, attributes: Attributes) -> UserEntry:
    """A user from an entry of the directory."""
    return UserEntry(
        dn=dn,
        username=first(attributes, "uid"),
        email=first(attributes, "mail"),
        description=first(attributes, "description"),
        lang=first(attributes, "preferredLanguage"),
        created=_rfc3339(first(attributes, "createTimestamp")),
        password=(attributes.get("userPassword") or [b""])[0],
        locked=first(attributes, EXPIRE) == LOCKED,
        must_change=first(attributes, LAST_CHANGE) == MUST_CHANGE,
        ties=tuple(value.decode("utf-8", "replace") for value in attributes.get(TIE) or ()),
        classes=frozenset(
            value.decode("utf-8", "replace").lower() for value in attributes.get("objectClass") or ()
        ),
    )


def first(attributes: Attributes, name: str) -> str:
    """The first value of an attribute, "" when there is none."""
    values = attributes.get(name)
    return values[0].decode("utf-8", "replace") if values else ""


def _rfc3339(generalized: str) -> str:
    """`20261123034824Z` (RFC 4517) as `2026-11-23T03:48:24Z`; Go's zero time when it is not of that form."""
    if len(generalized) < 15 or not generalized[:14].isdigit():
        return "0001-01-01T00:00:00Z"
    d = generalized
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}Z"
