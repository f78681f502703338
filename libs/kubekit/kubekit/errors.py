"""What can go wrong when Kubernetes is asked, as exceptions that say what to do.

Status codes and reasons are those of the API's `Status` object, described under
"Response Status Kind" in
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
"""

import copy
from collections.abc import Mapping
from typing import Any, Self, cast

import orjson


class KubeconfigError(Exception):
    """The credentials are unreadable or malformed; the message names the file and what is wrong."""


class KubernetesError(Exception):
    """Kubernetes refused, failed, or gave no answer.

    `status` is the HTTP status (0 without an answer), `reason` the API's one-word reason such as "NotFound",
    `body` the decoded Status object where one came, and `retry_after` the seconds the server asks to wait.
    """

    def __init__(
        self,
        message: str,
        status: int = 0,
        reason: str = "",
        body: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.body: Mapping[str, Any] = body or {}
        self.retry_after = retry_after

    def about(self, what: str) -> Self:
        """The same error, whose message begins with what it is about."""
        error = copy.copy(self)
        error.message = f"{what}: {self.message}"
        error.args = (error.message,)
        return error


class Unreachable(KubernetesError):
    """No answer came: refused, timed out, cut off, or TLS could not be agreed."""


class Unauthorized(KubernetesError):
    """401: the credentials are missing, wrong or expired."""


class Forbidden(KubernetesError):
    """403: the caller's roles do not allow this."""


class NotFound(KubernetesError):
    """404: there is no such object, or no such API."""


class NotServed(NotFound):
    """The cluster does not serve this API: its CustomResourceDefinition is not applied."""


class AlreadyExists(KubernetesError):
    """409 with reason AlreadyExists: an object of that name is there."""


class Conflict(KubernetesError):
    """409: the object changed since it was read; read it again and retry."""


class Gone(KubernetesError):
    """410: the resource version or continue token is too old; list again."""


class Invalid(KubernetesError):
    """422 or 400: the object or request breaks a rule of the API."""


class InvalidName(Invalid):
    """A name that would change which path is asked; refused before anything is sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 400, "BadRequest")


class TooManyRequests(KubernetesError):
    """429, or the client's own rate limit: wait `retry_after` seconds."""


_BY_STATUS: dict[int, type[KubernetesError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
}


def error_of(status: int, body: Mapping[str, Any], retry_after: float | None = None) -> KubernetesError:
    """The exception for an HTTP status and the Status object that came with it."""
    reason = str(body.get("reason") or "")
    message = str(body.get("message") or reason or f"Kubernetes answered {status}")
    cls = _BY_STATUS.get(status, KubernetesError)
    if status == 409 and reason == "AlreadyExists":
        cls = AlreadyExists
    return cls(message, status, reason, body, retry_after)


def error_of_answer(status: int, payload: bytes, retry_after: float | None = None) -> KubernetesError:
    """The exception for an answer: a Status object, or plain text as from a proxy."""
    try:
        decoded = orjson.loads(payload)
    except orjson.JSONDecodeError:
        decoded = None
    if isinstance(decoded, dict):
        return error_of(status, cast("dict[str, Any]", decoded), retry_after)
    text = payload[:200].decode("utf-8", "replace").strip()
    return error_of(status, {"message": text} if text else {}, retry_after)
