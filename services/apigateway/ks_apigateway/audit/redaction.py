"""What never stands in an audit event: credentials, in whichever body they are.

Bodies that are secrets as a whole are not kept at all; in others, every value under a name that tells of a
secret is replaced.
"""

import re
from typing import Any, cast

from kubekit.rbac import RequestInfo

HIDDEN = "***"
_NAMES = re.compile(
    r"pass(?:word|wd|phrase)|secret|token|credential|private.?key|kubeconfig|authorization|cookie|api.?key",
    re.IGNORECASE,
)
_SECRET_RESOURCES = frozenset(
    (
        "authenticate",
        "certificatesigningrequests",
        "credentials",
        "git",
        "kubeconfig",
        "login",
        "registry",
        "secrets",
        "token",
        "tokenreviews",
        "webhook",
    )
)
_SECRET_SUBRESOURCES = frozenset(
    ("token", "kubeconfig", "credentials", "password", "exec", "attach", "proxy")
)


def holds_secrets(info: RequestInfo) -> bool:
    """Whether the bodies of such a request are secrets as a whole: those of Secrets, logins, tokens."""
    if info.resource in _SECRET_RESOURCES or info.subresource in _SECRET_SUBRESOURCES:
        return True
    return any(segment in _SECRET_RESOURCES for segment in info.path.split("/"))


def redacted(value: Any) -> Any:
    """`value` (decoded JSON) without the values of what is named like a secret."""
    if isinstance(value, dict):
        return _redacted_object(cast("dict[str, Any]", value))
    if isinstance(value, list):
        return [redacted(each) for each in cast("list[Any]", value)]
    return value


def _redacted_object(content: dict[str, Any]) -> dict[str, Any]:
    if content.get("kind") == "Secret":
        content = {**content, "data": HIDDEN, "stringData": HIDDEN}
    found = {key: HIDDEN if _NAMES.search(key) else redacted(each) for key, each in content.items()}
    # A variable of a container: {"name": "DB_PASSWORD", "value": ...}.
    if isinstance(found.get("name"), str) and "value" in found and _NAMES.search(found["name"]):
        found["value"] = HIDDEN
    return found
