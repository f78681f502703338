"""A user as the API shows it: the fields of v2.1.1's `models.User`."""

from typing import NotRequired

from typing_extensions import TypedDict

from ks_account.clients.directory import UserEntry
from kubekit.rbac.permissions import SimpleRule


class Profile(TypedDict):
    """`lang` and `groups` are left out where there are none, as in v2.1.1; `locked` and
    `password_change_required`, which v2.1.1 did not know, where they are not true.
    """

    username: str
    email: str
    description: str
    create_time: str
    avatar_url: str
    last_login_time: str
    status: int
    cluster_role: str
    locked: NotRequired[bool]
    password_change_required: NotRequired[bool]
    lang: NotRequired[str]
    groups: NotRequired[list[str]]


class Description(Profile):
    """A profile with the permissions in the cluster."""

    cluster_rules: list[SimpleRule]


def profile(
    entry: UserEntry, last_login: str, *, cluster_role: str = "", groups: list[str] | None = None
) -> Profile:
    """The public part of an entry."""
    shown: Profile = {
        "username": entry.username,
        "email": entry.email,
        "description": entry.description,
        "create_time": entry.created,
        "avatar_url": "",
        "last_login_time": last_login,
        "status": 0,
        "cluster_role": cluster_role,
    }
    if entry.locked:
        shown["locked"] = True
    if entry.must_change:
        shown["password_change_required"] = True
    if entry.lang:
        shown["lang"] = entry.lang
    if groups:
        shown["groups"] = groups
    return shown
