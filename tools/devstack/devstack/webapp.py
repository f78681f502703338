"""The console's application, which has to be built before the console serves it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from devstack.steps import Say, StepFailed


def build_script() -> Path | None:
    """What builds it; None where the console is installed as a wheel, which holds the built application."""
    spec = importlib.util.find_spec("ks_console")
    if spec is None or spec.origin is None:
        return None
    script = Path(spec.origin).parents[1] / "web" / "build.py"
    return script if script.is_file() else None


def build(say: Say) -> str:
    """Builds it where its sources have changed; gives a line on what was done. Raises StepFailed."""
    script = build_script()
    if script is None:
        return "in the package"
    say("building, where its sources have changed")
    done = subprocess.run(
        [sys.executable, str(script)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StepFailed("application", done.stderr.strip())
    return f"built: {Path(done.stdout.strip()).name}"
