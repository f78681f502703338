"""The command `ks-account`."""

import sys

from ks_account import check_ldap
from ks_account.app import build
from ks_account.config import AccountConfig
from servicekit.run import main as run


def main() -> None:
    """Serve, or do what the command line says; `ks-account --help`."""
    if sys.argv[1:2] == ["check-ldap"]:
        sys.exit(check_ldap.main(sys.argv[2:]))
    run("ks-account", AccountConfig, build)


if __name__ == "__main__":
    main()
