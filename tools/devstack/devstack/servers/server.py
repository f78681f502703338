"""What every supervised server has: files to prepare, a command, a check."""

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from devstack.ports import LOOPBACK

_SYSTEM_PATH = os.pathsep.join(("/usr/sbin", "/sbin", "/usr/local/sbin"))  # often absent from a user's PATH


class NotReady(Exception):
    """A server does not answer as it should; the text is the reason."""


class MissingProgram(Exception):
    """A program that a server needs is not installed; the text names it and its Debian package."""


class PreparationFailed(Exception):
    """A server's files could not be made; the text holds what the tool that makes them said."""


@dataclass(kw_only=True)
class Server(ABC):
    """A server on a loopback port, with its files under `directory`.

    `prepare` may be called again on the same directory: it keeps data and rewrites configuration.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    """The Debian package that brings the server's programs."""
    stops_with: ClassVar[str] = "TERM"
    stop_seconds: ClassVar[int] = 10

    directory: Path
    port: int
    host: str = LOOPBACK

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def prepare(self) -> None:
        """Writes the configuration, and the initial data where there is none.

        Raises MissingProgram, PreparationFailed.
        """

    @abstractmethod
    def command(self) -> list[str]:
        """What to run, in the foreground, with `directory` as working directory."""

    @abstractmethod
    def check(self) -> None:
        """Returns when the server serves; raises NotReady with the reason. Takes at most some two seconds."""

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def program(self, name: str) -> str:
        """Where the program `name` of this server's package is. Raises MissingProgram."""
        return find_program(name, self.package)

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


def find_program(name: str, package: str) -> str:
    """The path of a program, /usr/sbin included. Raises MissingProgram naming the Debian `package`."""
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), _SYSTEM_PATH)))
    if found is None:
        raise MissingProgram(
            f"the program {name} is missing: install the Debian package {package} (apt-get install {package})"
        )
    return found


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)


def check_http(url: str, timeout: float = 2) -> bytes:
    """The body of a GET that answers 2xx; raises NotReady with what it answered instead."""
    no_proxy = urllib.request.ProxyHandler({})
    direct = urllib.request.build_opener(no_proxy)
    try:
        with direct.open(url, timeout=timeout) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        with error:
            body = error.read(4096).decode(errors="replace").strip()
        raise NotReady(f"{url} answers {error.code}: {body}") from error
    except OSError as error:
        raise NotReady(f"{url} does not answer: {getattr(error, 'reason', error)}") from error
