"""What can be chosen about a stack: where its state lives, its ports, its cluster.

A choice made for this run (flag, then environment) wins over the one that the state folder remembers, which
wins over the default. So `make status` and a second `make up` need not be told again."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from devstack.ports import free_port
from devstack.program import write_private

STATE_VARIABLE = "KS_STATE"
_PORT_VARIABLE = "KS_PORT_"
_HIGHEST_PORT = 65535


class SettingsError(Exception):
    """A setting cannot be used; the text names it and where it comes from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """One loopback port for each thing that listens.

    `gateway_ops` has the gateway's health and metrics; `gateway_tls` serves what `gateway` does over TLS,
    without which kubectl sends no token. The defaults lie below 32768, where Linux takes no port for an
    outgoing connection (ip_local_port_range).
    """

    gateway: int = 2018
    gateway_tls: int = 2443
    gateway_ops: int = 2019
    console: int = 30880
    account: int = 9091
    apiserver: int = 9092
    controller_manager: int = 9093
    redis: int = 16379
    openldap: int = 30389
    mariadb: int = 13306
    prometheus: int = 19090
    node_exporter: int = 19100
    kubernetes: int = 26443

    def shifted(self, offset: int) -> "Ports":
        """Each port moved by `offset`."""
        return Ports(**{name: port + offset for name, port in asdict(self).items()})

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nothing listens on now. Raises NoFreePort."""
        found: set[int] = set()
        while len(found) < len(fields(cls)):
            found.add(free_port())
        return cls(**dict(zip(port_names(), found, strict=True)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One stack. `state` holds everything that it writes."""

    state: Path
    ports: Ports = field(default_factory=Ports)
    kubeconfig: Path | None = None
    """A cluster to use in place of a local one."""
    node: bool | None = None
    """Whether the local cluster runs pods; None: when the user is root."""
    mariadb: bool = False
    """MariaDB in place of the embedded SQLite."""

    @property
    def wants_node(self) -> bool:
        return os.geteuid() == 0 if self.node is None else self.node


def port_names() -> list[str]:
    """The names under which ports are set."""
    return [each.name for each in fields(Ports)]


def port_variable(name: str) -> str:
    """The environment variable that sets the port called `name`."""
    return _PORT_VARIABLE + name.upper()


def default_state(environment: Mapping[str, str] = os.environ) -> Path:
    """$KS_STATE, else .dev in the current folder."""
    return Path(environment.get(STATE_VARIABLE) or ".dev").absolute()


def with_ports(settings: Settings, given: Mapping[str, str], source: str) -> Settings:
    """`settings` with the ports that `given` names; raises SettingsError."""
    changed = {_known_port(name, source): _port_number(value, name, source) for name, value in given.items()}
    return replace(settings, ports=replace(settings.ports, **changed))


def ports_of_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The ports that KS_PORT_<NAME> variables set, by name."""
    return {
        name.removeprefix(_PORT_VARIABLE): value
        for name, value in environment.items()
        if name.startswith(_PORT_VARIABLE)
    }


def check_ports(ports: Ports) -> None:
    """Raises SettingsError when two settings have one port, or one has a port that cannot be."""
    seen: dict[int, str] = {}
    for name, port in asdict(ports).items():
        if not 1 <= port <= _HIGHEST_PORT:
            raise SettingsError(f"the port {name} would be {port}: choose a nearer --port-offset")
        if port in seen:
            raise SettingsError(f"the ports {seen[port]} and {name} are both {port}: change one of them")
        seen[port] = name


def remember(settings: Settings) -> None:
    """Writes the settings into the state folder."""
    values = asdict(settings) | {"state": str(settings.state)}
    values["kubeconfig"] = str(settings.kubeconfig) if settings.kubeconfig else None
    write_private(_file(settings.state), json.dumps(values, indent=2) + "\n")


def remembered(state: Path) -> Settings:
    """The settings in the state folder, the defaults where there are none. Raises SettingsError."""
    try:
        values = json.loads(_file(state).read_text())
        kubeconfig = values["kubeconfig"]
        return Settings(
            state=state,
            ports=Ports(**values["ports"]),
            kubeconfig=Path(kubeconfig) if kubeconfig else None,
            node=values["node"],
            mariadb=values["mariadb"],
        )
    except FileNotFoundError:
        return Settings(state=state)
    except NotADirectoryError as error:
        raise SettingsError(f"{state} is no folder: choose another one for the state") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SettingsError(f"{_file(state)} cannot be used ({error!r}): remove it") from error


def _file(state: Path) -> Path:
    return state / "settings.json"


def _known_port(name: str, source: str) -> str:
    known = name.lower().replace("-", "_")
    if known not in port_names():
        raise SettingsError(f"{source}: there is no port called {name}; there are {', '.join(port_names())}")
    return known


def _port_number(value: str, name: str, source: str) -> int:
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= _HIGHEST_PORT):
        raise SettingsError(f"{source}: the port {name} must be between 1 and {_HIGHEST_PORT}, not {value!r}")
    return int(value)
