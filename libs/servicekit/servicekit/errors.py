"""The errors that a handler raises and a client sees, in one shape.

A body is `{"message": ..., "reason": ..., "requestId": ...}`: the original's `message`, with a word for
programs and the identifier under which the log tells more.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, ClassVar


class ServiceError(Exception):
    """An answer other than success. `message` goes to the client: it holds no secret and says what to do."""

    status: int = 500
    default_reason: ClassVar[str] = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.status = status or self.status
        self.reason = reason or self.default_reason
        self.headers: dict[str, str] = dict(headers or {})

    def body(self, request_id: str) -> dict[str, Any]:
        return {"message": self.message, "reason": self.reason, "requestId": request_id}


class BadRequest(ServiceError):
    status = 400
    default_reason = "BadRequest"


class Unauthorized(ServiceError):
    """Who asks is not known, or cannot be proven."""

    status = 401
    default_reason = "Unauthorized"


class Forbidden(ServiceError):
    """Who asks is known, and may not."""

    status = 403
    default_reason = "Forbidden"


class NotFound(ServiceError):
    status = 404
    default_reason = "NotFound"


class MethodNotAllowed(ServiceError):
    status = 405
    default_reason = "MethodNotAllowed"


class RequestTimeout(ServiceError):
    """The client took too long to send its request."""

    status = 408
    default_reason = "RequestTimeout"


class Conflict(ServiceError):
    status = 409
    default_reason = "Conflict"


class BodyTooLarge(ServiceError):
    status = 413
    default_reason = "RequestEntityTooLarge"


class UnsupportedMediaType(ServiceError):
    status = 415
    default_reason = "UnsupportedMediaType"


class Invalid(ServiceError):
    """Well-formed, but the values contradict each other or the state of the platform."""

    status = 422
    default_reason = "Invalid"


class TooManyRequests(ServiceError):
    """`retry_after`: seconds after which another try makes sense."""

    status = 429
    default_reason = "TooManyRequests"

    def __init__(self, message: str, *, retry_after: float, reason: str | None = None):
        super().__init__(message, reason=reason, headers={"Retry-After": str(ceil(retry_after))})
        self.retry_after = retry_after


class BadGateway(ServiceError):
    """A back end answered something that is not an answer."""

    status = 502
    default_reason = "BadGateway"


class Unavailable(ServiceError):
    """A back end that this request needs is down: `dependency` names it, `why` is its own reason."""

    status = 503
    default_reason = "ServiceUnavailable"

    def __init__(self, dependency: str, why: str = "", *, retry_after: float | None = None):
        super().__init__(
            f"{dependency} is not available{': ' if why else ''}{why}",
            headers={} if retry_after is None else {"Retry-After": str(ceil(retry_after))},
        )
        self.dependency = dependency


class Overloaded(ServiceError):
    """The service is at a limit of its own. `retry_after`: seconds."""

    status = 503
    default_reason = "Overloaded"

    def __init__(self, message: str, *, retry_after: float = 1):
        super().__init__(message, headers={"Retry-After": str(ceil(retry_after))})


class GatewayTimeout(ServiceError):
    """The work took longer than a request may last."""

    status = 504
    default_reason = "Timeout"
