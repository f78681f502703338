"""ks-controller-manager: the reconcile loops of the platform."""

from __future__ import annotations

from ks_controller_manager.app import build
from ks_controller_manager.config import ControllerManagerConfig
from ks_controller_manager.plan.command import PLAN
from servicekit.run import main as run

_CONTROLLERS = "which controllers run: names, '*' for all, '-name' for all but that one, with commas"


def main() -> None:
    """Runs the command line."""
    shorthands = {"--controllers": ("controllers.enabled", _CONTROLLERS)}
    run(
        "ks-controller-manager",
        ControllerManagerConfig,
        build,
        shorthands=shorthands,
        commands={"plan": PLAN},
    )


if __name__ == "__main__":
    main()
