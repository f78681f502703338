"""Tells the user what is going on: live on a terminal, as plain lines elsewhere, or not at all."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.status import Status


class Progress:
    """Says nothing; what the API uses unless it is given another."""

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Wrap one step; `text` says what is done, in the present."""
        yield

    def note(self, text: str) -> None:
        """Say something about the step under way."""


class PlainProgress(Progress):
    """One line when a step begins, one when it ends: for logs and pipes."""

    def __init__(self, stream: TextIO = sys.stderr):
        self._stream = stream

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Print the step and, when it ends, the seconds that it took."""
        began = time.monotonic()
        self._print(f"{text} ...")
        yield
        self._print(f"{text}: done in {time.monotonic() - began:.1f} s")

    def note(self, text: str) -> None:
        """Print `text`, indented."""
        self._print(f"  {text}")

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class RichProgress(Progress):
    """A spinner with the current step, and a tick with its duration for each that is done."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._current: tuple[str, Status] | None = None

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Spin while the step lasts, then leave one line."""
        began = time.monotonic()
        outer, status = self._current, Status(text, console=self._console)
        if outer:
            outer[1].stop()
        self._current = (text, status)
        status.start()
        mark = "[red]✗[/red]"
        try:
            yield
            mark = "[green]✓[/green]"
        finally:
            status.stop()
            self._console.print(f"{mark} {text} [dim]{time.monotonic() - began:.1f} s[/dim]")
            self._current = outer
            if outer:
                outer[1].start()

    def note(self, text: str) -> None:
        """Show `text` behind the current step."""
        if self._current:
            step, status = self._current
            status.update(f"{step} [dim]{text}[/dim]")
        else:
            self._console.print(text)


def progress_for(stream: TextIO = sys.stderr, quiet: bool = False) -> Progress:
    """The progress that suits `stream`; silent when `quiet`."""
    if quiet:
        return Progress()
    return RichProgress() if stream.isatty() else PlainProgress(stream)
