"""One step after the other, or several together; a failure comes with its reason and the end of its log."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from devstack.report import Report
from devstack.tail import tail

Say = Callable[[str], None]
Action = Callable[[Say], str]
"""Does a step; may say what it is doing; gives a line that describes the outcome."""


class StepFailed(Exception):
    """A step of `up` failed; the text says which, why, and how its log ends."""

    def __init__(self, step: str, why: str, log: Path | None = None) -> None:
        ending = f"\n--- end of {log}\n{tail(log)}" if log else ""
        super().__init__(f"{step}: {why}{ending}")
        self.step = step
        self.why = why


class StepsFailed(Exception):
    """Several steps that ran together failed."""


class Steps:
    """Runs the steps, and reports each."""

    def __init__(self, report: Report, expected: tuple[type[Exception], ...]) -> None:
        self._report = report
        self._expected = expected
        self.interrupted = threading.Event()
        """Set when the user gives up: what waits in another thread should end."""

    def run(self, name: str, action: Action) -> None:
        """Runs one step. Raises StepFailed for a StepFailed or an expected error of the action."""
        self._report.begin(name)
        try:
            outcome = action(lambda text: self._report.note(name, text))
        except StepFailed as failed:
            self._report.failed(name, failed.why)
            raise
        except self._expected as error:
            self._report.failed(name, str(error).partition("\n")[0])
            raise StepFailed(name, str(error)) from error
        self._report.done(name, outcome)

    def together(self, actions: Mapping[str, Action]) -> None:
        """Runs steps that do not need each other at the same time, and waits for all of them.

        Raises StepFailed, or StepsFailed with the texts of several.
        """
        with ThreadPoolExecutor(max_workers=len(actions)) as pool:
            running = [pool.submit(self.run, name, action) for name, action in actions.items()]
            try:
                wait(running)
            except KeyboardInterrupt:
                self.interrupted.set()
                raise
        failures = [error for each in running if (error := each.exception()) is not None]
        for error in failures:
            if not isinstance(error, StepFailed):
                raise error
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise StepsFailed("\n\n".join(str(error) for error in failures))
