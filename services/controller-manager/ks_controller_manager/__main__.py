"""ks-controller-manager: the reconcile loops of the platform."""

from __future__ import annotations

from ks_controller_manager.app import build
from ks_controller_manager.config import ControllerManagerConfig
from servicekit.run import main as run


def main() -> None:
    """Runs the command line."""
    run("ks-controller-manager", ControllerManagerConfig, build)


if __name__ == "__main__":
    main()
