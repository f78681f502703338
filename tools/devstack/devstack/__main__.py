"""The command `devstack`."""

import sys


def main() -> None:
    """Runs one command and ends the process with its exit status."""
    try:
        from devstack import cli  # takes a second, in which a user may think better of it

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
