"""The command `ks-account`."""

import sys

from ks_account import check_ldap
from ks_account.app import build
from ks_account.config import AccountConfig
from servicekit.run import main as run

_SWITCH = 0.0005
"""Seconds for which a thread may hold the interpreter while another waits. A list of all users is read from
the directory in a thread, which takes a second for 10,000, and meanwhile each step of each request would wait
for ten times as long."""


def main() -> None:
    """Serve, or do what the command line says; `ks-account --help`."""
    if sys.argv[1:2] == ["check-ldap"]:
        sys.exit(check_ldap.main(sys.argv[2:]))
    sys.setswitchinterval(_SWITCH)
    run("ks-account", AccountConfig, build)


if __name__ == "__main__":
    main()
