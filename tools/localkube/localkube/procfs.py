"""What /proc says about processes: enough to never mistake one for another."""

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def start_time(pid: int) -> int | None:
    """When `pid` started, in ticks since boot (proc_pid_stat(5), field 22); None if gone or a zombie."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, UnicodeDecodeError):
        return None
    state, threads, started = fields[0], int(fields[17]), int(fields[19])
    # A killed leader is a zombie while its other threads still hold the sockets.
    return None if state in "ZX" and threads <= 1 else started


def boot_id() -> str:
    """The identifier of this boot; process start times mean nothing in another."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def processes() -> Iterator[int]:
    """The identifiers of all processes."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def environment(pid: int) -> dict[str, str]:
    """The environment that `pid` was started with; empty when it is gone or not readable."""
    try:
        raw = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0") if b"=" in entry)
    return {os.fsdecode(key): os.fsdecode(value) for key, _, value in pairs}


def with_environment(variable: str, value: str) -> list[int]:
    """The live processes whose environment has `variable` set to `value`."""
    return [
        pid for pid in processes() if environment(pid).get(variable) == value and start_time(pid) is not None
    ]


def command(pid: int) -> str:
    """The command line of `pid`, or an empty text."""
    try:
        return (
            (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        )
    except OSError:
        return ""


def program(pid: int) -> str:
    """The name that `pid` was called by, without its folder; empty when it is gone."""
    return Path(command(pid).partition(" ")[0]).name


def listener_of(socket: Path) -> int | None:
    """The process that listens on the Unix socket at `socket`, None if there is none that can be seen."""
    inodes = set(_listening_inodes(str(socket.resolve())))
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return next((pid for pid in processes() if wanted & set(_open_files(pid))), None)


def _listening_inodes(path: str) -> Iterator[str]:
    accepts_connections = 0x10000  # __SO_ACCEPTCON, proc_net(5)
    for line in (PROC / "net/unix").read_text().splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if (
            len(fields) == 8
            and fields[7] in (path, path.removeprefix("/var"))
            and int(fields[3], 16) & accepts_connections
        ):
            yield fields[6]


def _open_files(pid: int) -> Iterator[str]:
    try:
        for descriptor in os.scandir(PROC / str(pid) / "fd"):
            try:
                yield os.readlink(descriptor.path)
            except OSError:
                continue
    except OSError:
        return
