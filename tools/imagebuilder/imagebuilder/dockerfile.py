"""What a Dockerfile says of the image: its last stage, in the few instructions that ours are made of."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagebuilder.errors import BuildFailed

_NANOSECONDS = 1_000_000_000
_DURATION = re.compile(r"(\d+)(ms|s|m)")
_UNITS = {"ms": _NANOSECONDS // 1000, "s": _NANOSECONDS, "m": 60 * _NANOSECONDS}
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass(slots=True)
class Stage:
    """`config` is an OCI image's; `copies` are (stage, source, target), of no stage from the context."""

    config: dict[str, Any] = field(default_factory=dict[str, Any])
    copies: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])


def last_stage(path: Path, arguments: Mapping[str, str], environment: Mapping[str, str]) -> Stage:
    """Reads the file `path`.

    `arguments` are those of the build, over the defaults of ARG; `environment` is what the base image sets.
    Raises BuildFailed, naming the line, on an instruction that needs an engine, and where there is no stage.
    """
    reader = _Reader(arguments, environment)
    for number, name, rest in _instructions(path.read_text()):
        handle = reader.handlers.get(name)
        if handle is None:
            raise BuildFailed(f"{path}:{number}: {name} in the last stage needs an engine")
        handle(rest)
    if reader.stage is None:
        raise BuildFailed(f"{path}: there is no FROM")
    return reader.stage


class _Reader:
    def __init__(self, arguments: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self.stage: Stage | None = None
        self._given = arguments
        self._base = dict(environment)
        self._arguments: dict[str, str] = {}
        self._environment: dict[str, str] = {}
        self.handlers: dict[str, Callable[[str], None]] = {
            "FROM": self._from, "ARG": self._arg, "LABEL": self._label, "ENV": self._env, "COPY": self._copy,
            "USER": self._user, "EXPOSE": self._expose, "HEALTHCHECK": self._health, "WORKDIR": self._workdir,
            "ENTRYPOINT": self._entrypoint, "CMD": self._command,
        }  # fmt: skip

    def _from(self, _: str) -> None:
        self.stage = Stage()
        self._environment = dict(self._base)

    @property
    def _config(self) -> dict[str, Any]:
        assert self.stage is not None
        return self.stage.config

    def _arg(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, _, default = word.partition("=")
            if name in self._given or default or name not in self._arguments:
                self._arguments[name] = self._given.get(name, self._filled(default))

    def _label(self, rest: str) -> None:
        self._config.setdefault("Labels", {}).update(self._pairs(rest))

    def _env(self, rest: str) -> None:
        self._environment.update(self._pairs(rest))
        self._config["Env"] = [f"{name}={value}" for name, value in self._environment.items()]

    def _copy(self, rest: str) -> None:
        *options, source, target = shlex.split(rest)
        stages = [option.removeprefix("--from=") for option in options if option.startswith("--from=")]
        assert self.stage is not None
        self.stage.copies.append((stages[0] if stages else "", source, target))

    def _user(self, rest: str) -> None:
        self._config["User"] = self._filled(rest)

    def _workdir(self, rest: str) -> None:
        self._config["WorkingDir"] = self._filled(rest)

    def _expose(self, rest: str) -> None:
        ports = {port if "/" in port else f"{port}/tcp": {} for port in self._filled(rest).split()}
        self._config.setdefault("ExposedPorts", {}).update(ports)

    def _health(self, rest: str) -> None:
        options, _, command = rest.partition("CMD")
        check: dict[str, Any] = {"Test": ["CMD", *json.loads(command)]}
        names = {"interval": "Interval", "timeout": "Timeout", "start-period": "StartPeriod"}
        for option in options.split():
            name, _, value = option.removeprefix("--").partition("=")
            if name == "retries":
                check["Retries"] = int(value)
            else:
                check[names[name]] = sum(int(n) * _UNITS[unit] for n, unit in _DURATION.findall(value))
        self._config["Healthcheck"] = check

    def _entrypoint(self, rest: str) -> None:
        self._config["Entrypoint"] = json.loads(rest)

    def _command(self, rest: str) -> None:
        self._config["Cmd"] = json.loads(rest)

    def _pairs(self, rest: str) -> dict[str, str]:
        return dict(word.split("=", 1) for word in shlex.split(self._filled(rest)))

    def _filled(self, text: str) -> str:
        known = {**self._arguments, **self._environment}
        return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], ""), text)


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """The ARGs before the first FROM, and the instructions of the last stage."""
    read = list(_joined(text))
    froms = [index for index, (_, name, _) in enumerate(read) if name == "FROM"]
    if not froms:
        return
    before = [entry for entry in read[: froms[0]] if entry[1] == "ARG"]
    yield from before + read[froms[-1] :]


def _joined(text: str) -> Iterator[tuple[int, str, str]]:
    collected, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or not (line.strip() or collected):
            continue
        first = first or number
        collected += line.removesuffix("\\").strip() + " "
        if not line.endswith("\\"):
            name, _, rest = collected.strip().partition(" ")
            yield first, name.upper(), rest.strip()
            collected, first = "", 0
