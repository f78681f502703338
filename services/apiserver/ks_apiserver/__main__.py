"""The command `ks-apiserver`."""

from ks_apiserver.app import NAME, build
from servicekit import run
from servicekit.config import Config


def main() -> None:
    """Serves, prints the OpenAPI document or checks the configuration, as the command line says."""
    run.main(NAME, Config, build)


if __name__ == "__main__":
    main()
