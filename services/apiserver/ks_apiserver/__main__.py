"""The command `ks-apiserver`."""

from ks_apiserver.app import NAME, build
from ks_apiserver.config import ApiserverConfig
from servicekit import run


def main() -> None:
    """Serves, prints the OpenAPI document or checks the configuration, as the command line says."""
    run.main(NAME, ApiserverConfig, build)


if __name__ == "__main__":
    main()
