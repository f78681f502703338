"""Programs that are run for what they write."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from imagebuilder.errors import BuildFailed

_SHOWN = 2000  # characters of the end of what a failed program wrote


def output_of(
    *command: str | Path, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """What `command` writes to its standard output; raises BuildFailed with the end of its complaints."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(environment or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BuildFailed(f"there is no program {words[0]}") from error
    if done.returncode:
        raise BuildFailed(f"{' '.join(words[:6])} ... failed:\n{done.stderr[-_SHOWN:].strip()}")
    return done.stdout
