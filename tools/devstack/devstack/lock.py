"""One command at a time changes a stack."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StackBusy(Exception):
    """Another command is changing the stack; the text names its process."""


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Holds the stack in `state` for the block. Raises StackBusy."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StackBusy(
                f"process {file.read().strip()} is changing the stack in {state}: wait for it"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
