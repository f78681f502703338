"""The command ks-console."""

from ks_console.app import build
from ks_console.config import ConsoleConfig
from servicekit import run


def main() -> None:
    run.main("ks-console", ConsoleConfig, build)


if __name__ == "__main__":
    main()
