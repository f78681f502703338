"""What the service is configured by: the common sections, and those of its own."""

from ks_apiserver.egress.config import EgressSection
from ks_apiserver.operations.config import OperationsSection
from ks_apiserver.routers.config import RouterSection
from ks_apiserver.terminal.config import TerminalSection
from servicekit.config import Config


class ApiserverConfig(Config):
    """The common sections, with the limits on hosts that callers name, terminals, operations and routers."""

    egress: EgressSection = EgressSection()
    operations: OperationsSection = OperationsSection()
    router: RouterSection = RouterSection()
    terminal: TerminalSection = TerminalSection()
