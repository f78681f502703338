"""What is audited, and where events go: the section `gateway.audit`."""

from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from servicekit.quantities import Bytes, Seconds
from servicekit.section import Section


class Level(StrEnum):
    """How much of a request is kept; the levels of Kubernetes' own audit."""

    NONE = "None"
    METADATA = "Metadata"
    """Who, what, when, from where, and the status."""
    REQUEST = "Request"
    """And the body of the request."""
    REQUEST_RESPONSE = "RequestResponse"
    """And that of the answer."""


class FileSettings(Section):
    """A file of JSON lines. It is moved to `<path>.1`, `<path>.2`... before it grows past `maxSize`."""

    path: Path
    max_size: Bytes = Field(default=100 * 1024 * 1024, ge=64 * 1024)
    backups: int = Field(default=5, ge=0, le=1000)
    """Moved files that are kept."""


class WebhookSettings(Section):
    """A service that takes an audit.k8s.io/v1 EventList by POST."""

    url: str
    token: SecretStr = SecretStr("")
    """Sent as a bearer token."""
    ca_file: Path | None = None
    """Certificates that https is verified by, instead of the system's."""
    batch: int = Field(default=400, ge=1, le=10_000)
    """Events in one request."""
    timeout: Seconds = Field(default=10, gt=0)
    attempts: int = Field(default=8, ge=1, le=100)
    """To deliver a batch, with growing pauses between; then its events are counted as lost."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must look like https://host:port/path")
        return value


class AuditSection(Section):
    """Nothing is audited until one of `file`, `webhook` and `stdout` is set."""

    level: Level = Level.METADATA
    """Of routes that name none."""
    omit_verbs: frozenset[str] = frozenset()
    """Requests with these verbs (get, list, watch...) are not audited."""
    max_body: Bytes = Field(default=64 * 1024, ge=1024, le=1024 * 1024)
    """Longer bodies are left out of an event."""
    queue: Bytes = Field(default=16 * 1024 * 1024, ge=64 * 1024)
    """Events that may wait for each sink; more are counted and dropped, and no request waits."""
    stdout: bool = False
    file: FileSettings | None = None
    webhook: WebhookSettings | None = None

    @property
    def enabled(self) -> bool:
        return self.stdout or self.file is not None or self.webhook is not None
