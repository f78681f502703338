"""A supervised program that comes from a Debian package."""

import subprocess
from dataclasses import dataclass
from typing import ClassVar

from devstack.program import Program
from localkube.packages import find_program


class MissingProgram(Exception):
    """A program that a server needs is not installed; the text names it and its Debian package."""


class PreparationFailed(Exception):
    """A server's files could not be made; the text holds what the tool that makes them said."""


@dataclass(kw_only=True)
class Server(Program):
    """A server of Debian's. `prepare` raises MissingProgram and PreparationFailed."""

    server: ClassVar[str]
    """What the server is called in settings, logs and tables."""
    package: ClassVar[str]
    """The Debian package that brings its programs."""
    executable: ClassVar[str]

    @property
    def name(self) -> str:
        return self.server

    def program(self, name: str | None = None) -> str:
        """Where a program of the package is, by default the server itself. Raises MissingProgram."""
        wanted = name or self.executable
        found = find_program(wanted)
        if found is None:
            raise MissingProgram(
                f"the program {wanted} is missing: install the Debian package {self.package} "
                f"(apt-get install {self.package})"
            )
        return str(found)

    def run(self, command: list[str], stdin: str = "") -> None:
        """Runs a tool to its end; raises PreparationFailed with the end of its output."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            text=True,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            output = done.stdout[-2000:].strip()
            raise PreparationFailed(f"{command[0]} ended with {done.returncode}:\n{output}")
