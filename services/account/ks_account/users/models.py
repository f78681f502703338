"""What clients send about users, and what is allowed in it."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator

from ks_account.users import passwords
from servicekit.errors import BadRequest

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_DISPLAY_NAME = re.compile(r"[^<>@]*<([^<>]+)>")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,4}")
MAX_NAME = 63
MAX_EMAIL = 254
MAX_ROLE = 253
MAX_DESCRIPTION = 2048


def _null_is_empty(value: Any) -> Any:
    return "" if value is None else value


Text = Annotated[str, BeforeValidator(_null_is_empty)]


class Credentials(BaseModel):
    """A name or an e-mail, and the password."""

    username: Text = ""
    password: Text = ""


class NewUser(BaseModel):
    """A user to be made."""

    username: Text = ""
    email: Text = ""
    lang: Text = ""
    description: Text = ""
    password: Text = ""
    cluster_role: Text = ""


class ChangedUser(NewUser):
    """What is to become of a user; what is empty stays as it is. The e-mail must always be sent."""

    current_password: Text = ""


class Invitation(BaseModel):
    """A user to be made a member of a workspace."""

    username: Text = ""
    workspace_role: Text = ""


def check_name(name: str) -> str:
    """The name without spaces around it.

    Raises BadRequest unless it is a lower case RFC 1123 subdomain, since Kubernetes objects are named after
    users.
    """
    name = name.strip()
    if not is_name(name):
        raise BadRequest(
            f"invalid username: {name[:MAX_NAME]}: it must consist of lower case letters, digits, '-' or "
            f"'.', begin and end with a letter or digit, and have at most {MAX_NAME} characters",
            reason="InvalidUsername",
        )
    return name


def check_role(name: str) -> str:
    """The name of a ClusterRole, "" for none. Raises BadRequest for one that is too long to be one."""
    if len(name) > MAX_ROLE:
        raise BadRequest(
            f"invalid cluster_role: a name has at most {MAX_ROLE} characters", reason="InvalidClusterRole"
        )
    return name


def is_name(name: str) -> bool:
    """Whether a user, and so an object of Kubernetes, can have that name."""
    return len(name) <= MAX_NAME and bool(_NAME.fullmatch(name)) and ".." not in name


def check_email(email: str) -> str:
    """The address of `a@b` or `Name <a@b>` (RFC 5322). Raises BadRequest for anything else."""
    email = email.strip()
    named = _DISPLAY_NAME.fullmatch(email) if len(email) <= 2 * MAX_EMAIL else None
    address = named[1] if named else email
    if len(address) > MAX_EMAIL or not _EMAIL.fullmatch(address):
        raise BadRequest(f"invalid email: {email[:MAX_EMAIL]}", reason="InvalidEmail")
    return address


def check_description(text: str) -> str:
    """The text without spaces around it. Raises BadRequest for control characters, or when it is too long."""
    text = text.strip()
    if len(text) > MAX_DESCRIPTION or not passwords.is_text(text.replace("\n", "").replace("\t", "")):
        raise BadRequest(
            f"invalid description: it must be text of at most {MAX_DESCRIPTION} characters",
            reason="InvalidDescription",
        )
    return text


def check_language(tag: str) -> str:
    """The tag, such as en or zh-CN. Raises BadRequest when it is not of that form (RFC 5646)."""
    if tag and not _LANGUAGE.fullmatch(tag):
        raise BadRequest(
            "invalid lang: it must be a language tag such as en or zh-CN", reason="InvalidLanguage"
        )
    return tag
