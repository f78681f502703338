"""The section `operations` of kubesphere.yaml."""

from pydantic import Field

from servicekit.quantities import Seconds
from servicekit.section import Section


class OperationsSection(Section):
    """Draining nodes."""

    drain_timeout: Seconds = Field(default=30 * 60, gt=0)
    """How long one node may take; then what is left stays, and the drain has failed."""
    drain_patience: Seconds = Field(default=10, gt=0, le=50)
    """How long the request that drains waits for the end, before it answers that the drain goes on."""
    max_drains: int = Field(default=8, ge=1, le=100)
    """Nodes at once, in each process."""
