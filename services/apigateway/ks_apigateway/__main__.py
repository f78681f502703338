"""The command ks-apigateway."""

import sys
from collections.abc import Sequence

from ks_apigateway.app import NAME, build
from ks_apigateway.config import GatewayConfig
from ks_apigateway.serving import serve
from servicekit import run


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command line; see `ks-apigateway --help`."""
    run.main(NAME, GatewayConfig, build, argv, serve=serve)


if __name__ == "__main__":
    main(sys.argv[1:])
