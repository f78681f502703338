"""ks-controller-manager: the reconcile loops of the platform."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ks_controller_manager.app import build
from ks_controller_manager.config import ControllerManagerConfig
from servicekit.run import main as run


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command line: that of every service, and `--controllers`."""
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    own.add_argument("--controllers")
    chosen, rest = own.parse_known_args(sys.argv[1:] if argv is None else argv)
    if chosen.controllers is not None:
        rest += ["--set", f"controllers.enabled={chosen.controllers}"]
    run("ks-controller-manager", ControllerManagerConfig, build, rest)


if __name__ == "__main__":
    main()
