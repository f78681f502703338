"""Writes the secrets of a stack of containers that are not there yet, each into a file of its own."""

import secrets
import sys
from pathlib import Path

_TYPED = {"admin-password": 12}  # random bytes of a password that people type
_READ_BY_PROGRAMS = ("jwt-secret", "redis-password", "ldap-manager-password", "mariadb-password")


def main(folder: Path) -> None:
    """Containers of several users read them; nobody else reaches the volume that `folder` is on."""
    for name, length in {**dict.fromkeys(_READ_BY_PROGRAMS, 32), **_TYPED}.items():
        path = folder / name
        if not path.exists():
            path.write_text(secrets.token_urlsafe(length))
            path.chmod(0o444)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
