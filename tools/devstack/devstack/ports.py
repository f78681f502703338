"""Loopback ports: which are free, and which process holds one that is not."""

import random
import socket
from dataclasses import dataclass

import psutil

LOOPBACK = "127.0.0.1"
_SEARCHED = range(15_000, 32_000)  # below the ports that the kernel takes for outgoing connections


class NoFreePort(Exception):
    """No port could be bound; the message names the range that was tried."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that has a port: it listens there, or the kernel gave it the port for a connection out."""

    pid: int
    command: str
    listens: bool

    def __str__(self) -> str:
        process = f"pid {self.pid} ({self.command})"
        return process if self.listens else f"an outgoing connection of {process}, and free again after it"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(host: str = LOOPBACK) -> int:
    """A port that nothing listens on, outside the range of outgoing connections, so that it stays free
    until the caller's server binds it. Raises NoFreePort."""
    for port in random.sample(_SEARCHED, 200):
        if is_free(port, host):
            return port
    raise NoFreePort(f"no free port found between {_SEARCHED.start} and {_SEARCHED.stop} on {host}")


def holder(port: int) -> Holder | None:
    """The process that has `port`, or None when this user may not know it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    found = {
        each.status == psutil.CONN_LISTEN: each.pid
        for each in connections
        if each.laddr[1:] == (port,) and each.pid
    }
    if not found:
        return None
    listens = max(found)  # whoever listens stands before whoever connects
    return Holder(found[listens], _command(found[listens]), listens)


def _command(pid: int) -> str:
    try:
        command = psutil.Process(pid).cmdline()
    except psutil.Error:
        command = []
    return " ".join(command)[:120] or "its command is not readable"
