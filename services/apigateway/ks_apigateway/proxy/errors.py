"""Refusals that only a gateway gives."""

from servicekit.errors import ServiceError


class ExpectationFailed(ServiceError):
    """`Expect` asks for something other than 100-continue (RFC 9110, 10.1.1)."""

    status = 417
    default_reason = "ExpectationFailed"


class HeadersTooLarge(ServiceError):
    """The request line and headers are larger than the configuration allows (RFC 6585)."""

    status = 431
    default_reason = "RequestHeaderFieldsTooLarge"


class VersionNotSupported(ServiceError):
    """Neither HTTP/1.1 nor HTTP/1.0."""

    status = 505
    default_reason = "HTTPVersionNotSupported"
