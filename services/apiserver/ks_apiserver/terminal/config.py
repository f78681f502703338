"""The section `terminal` of kubesphere.yaml."""

from pydantic import Field

from servicekit.quantities import Bytes, Seconds
from servicekit.section import Section


class TerminalSection(Section):
    """Terminals in containers, and logs that are followed."""

    idle_timeout: Seconds = Field(default=30 * 60, gt=0)
    """How long a terminal stays open in which nothing is typed and nothing is printed."""
    max_duration: Seconds = Field(default=12 * 3600, gt=0)
    """How long one terminal, or one followed log, may last."""
    ping_interval: Seconds = Field(default=15, gt=0, le=19)
    """How often the other side is asked for a sign of life; proxies close what is silent for longer."""
    access_interval: Seconds = Field(default=30, gt=0)
    """How often Kubernetes is asked whether the user still may: who no longer may is cut off."""
    max_sessions: int = Field(default=200, ge=1, le=10_000)
    """Terminals and followed logs at once, each counted apart."""
    max_sessions_per_user: int = Field(default=20, ge=1, le=1000)
    max_message: Bytes = Field(default=1024 * 1024, ge=1024)
    """Of one message from the user, such as what is pasted."""
