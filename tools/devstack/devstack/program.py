"""What is supervised: a command with its files, an address and a check."""

import os
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.ports import LOOPBACK


class NotReady(Exception):
    """A program does not answer as it should; the text is the reason."""


@dataclass(kw_only=True)
class Program(ABC):
    """A program that listens on a loopback port and has its files under `directory`.

    `prepare` may be called again on the same directory: it keeps data and rewrites configuration.
    """

    directory: Path
    port: int
    host: str = LOOPBACK

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def location(self) -> str:
        """The URL as it may be shown: without credentials."""
        return self.url

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports that it listens on, by the name of the setting that changes each."""
        return {self.name.replace("-", "_"): self.port}

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables it gets beside those of the supervisor."""
        return {}

    @property
    def configuration(self) -> Path | None:
        """The file that `prepare` writes and the program reads once, at its start."""
        return None

    @property
    def stop_seconds(self) -> int:
        """How long it may take to end after SIGTERM."""
        return 10

    @abstractmethod
    def prepare(self) -> None:
        """Writes the configuration, and the initial data where there is none."""

    @abstractmethod
    def command(self) -> list[str]:
        """What to run, in the foreground, with `directory` as working directory."""

    @abstractmethod
    def check(self) -> None:
        """Returns when it serves; raises NotReady with the reason. Takes at most some two seconds."""


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)


def check_http(url: str, timeout: float = 2) -> bytes:
    """The body of a GET that answers 2xx; raises NotReady with what it answered instead. No proxy is used."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=timeout) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        with error:
            body = error.read(4096).decode(errors="replace").strip()
        raise NotReady(f"{url} answers {error.code}: {body}") from error
    except OSError as error:
        raise NotReady(f"{url} does not answer: {getattr(error, 'reason', error)}") from error
