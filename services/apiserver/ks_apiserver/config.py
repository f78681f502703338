"""What the service is configured by: the common sections, and those of its own."""

from ks_apiserver.egress.config import EgressSection
from servicekit.config import Config


class ApiserverConfig(Config):
    """The common sections, with the limits on hosts that callers name."""

    egress: EgressSection = EgressSection()
