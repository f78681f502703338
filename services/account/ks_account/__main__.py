"""The command `ks-account`."""

from ks_account.app import build
from ks_account.config import AccountConfig
from servicekit.run import main as run


def main() -> None:
    """Serve, or do what the command line says; `ks-account --help`."""
    run("ks-account", AccountConfig, build)


if __name__ == "__main__":
    main()
