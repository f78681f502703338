"""What is configured of a directory of others: one item of `account.directories`."""

import re

from pydantic import Field, SecretStr, field_validator

from servicekit.quantities import Seconds
from servicekit.section import Section

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")
_MOST_ATTRIBUTES = 5


class ExternalDirectory(Section):
    """One LDAP server, which is only read. `host` is as in the section `ldap`."""

    name: str
    host: str
    start_tls: bool = False
    ca_file: str | None = None
    manager_dn: str
    """Who may search it."""
    manager_password: SecretStr = SecretStr("")
    user_search_base: str
    user_filter: str = "(objectClass=person)"
    """What makes an entry a user, in parentheses; for Active Directory that may be (objectClass=user)."""
    login_attributes: tuple[str, ...] = ("uid", "mail")
    """What people type as their name; for Active Directory sAMAccountName, userPrincipalName or mail."""
    username_attribute: str = "uid"
    email_attribute: str = "mail"
    groups_attribute: str = ""
    """Of the user's entry, such as memberOf; of a DN the first value counts. Without it: no groups."""
    groups_prefix: str = ""
    create_users: bool = True
    """Whether who is not known yet becomes a user."""
    pool: int = Field(default=8, ge=1, le=256)
    timeout: Seconds = Field(default=5, gt=0)

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("must be lower case letters, digits and dashes, at most 32")
        return value

    @field_validator("user_filter")
    @classmethod
    def _check_filter(cls, value: str) -> str:
        if not value.startswith("(") or not value.endswith(")"):
            raise ValueError("must be a filter in parentheses, such as (objectClass=user)")
        return value

    @field_validator("login_attributes")
    @classmethod
    def _check_attributes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not 0 < len(value) <= _MOST_ATTRIBUTES or not all(map(_ATTRIBUTE.fullmatch, value)):
            raise ValueError(f"must be one to {_MOST_ATTRIBUTES} names of attributes")
        return value

    @field_validator("username_attribute", "email_attribute", "groups_attribute")
    @classmethod
    def _check_attribute(cls, value: str) -> str:
        if value and not _ATTRIBUTE.fullmatch(value):
            raise ValueError("must be the name of an attribute")
        return value
