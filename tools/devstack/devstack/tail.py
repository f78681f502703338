"""The end of a log."""

from pathlib import Path

_READ = 64 * 1024


def tail(path: Path, lines: int = 20) -> str:
    """The last `lines` lines of the file, with a line that says so when there are none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _READ))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return "(there is no log yet)"
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"
