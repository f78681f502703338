"""Audit events in a file that is moved away before it grows too large.

Several processes may write one file: each write is made under a lock, and goes to the file that has the name
at that time.
"""

import asyncio
import fcntl
import os
from pathlib import Path

from ks_apigateway.audit.settings import FileSettings


class FileSink:
    """JSON lines in `path`; older ones in `path.1` and so on."""

    name = "file"
    batch = 10_000

    def __init__(self, settings: FileSettings) -> None:
        self._path = settings.path
        self._max_size = settings.max_size
        self._backups = settings.backups

    async def write(self, events: list[bytes]) -> None:
        await asyncio.to_thread(self._write, events)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _write(self, events: list[bytes]) -> None:
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for chunk in self._chunks(events):
                self._append(chunk)
        finally:
            os.close(lock)

    def _chunks(self, events: list[bytes]) -> list[bytes]:
        """The events in pieces, of which each fits into one file."""
        chunks: list[list[bytes]] = [[]]
        size = 0
        for event in events:
            if size + len(event) > self._max_size and chunks[-1]:
                chunks.append([])
                size = 0
            chunks[-1].append(event)
            size += len(event)
        return [b"".join(chunk) for chunk in chunks]

    def _append(self, data: bytes) -> None:
        file = self._open()
        try:
            size = os.fstat(file).st_size
            if size and size + len(data) > self._max_size:
                os.close(file)
                file = -1
                self._rotate()
                file = self._open()
            _write_whole(file, data)
        finally:
            if file >= 0:
                os.close(file)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _rotate(self) -> None:
        if not self._backups:
            self._path.unlink(missing_ok=True)
            return
        for number in range(self._backups - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _write_whole(file: int, data: bytes) -> None:
    """All of `data`, or nothing of it: half a line would spoil the next one."""
    before = os.fstat(file).st_size
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(file, view) :]
    except OSError:
        os.ftruncate(file, before)
        raise
