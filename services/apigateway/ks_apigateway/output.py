"""Whole lines on standard output, beside those of other processes and threads."""

import os
import select
import stat
import sys
import threading

_lock = threading.Lock()
_others = threading.Event()


def expect_others() -> None:
    """Other processes write to the same standard output, from now on."""
    _others.set()


def write_lines(lines: bytes) -> None:
    """Writes `lines` together; where others write to the same pipe, in pieces that the kernel does not mix
    with theirs. Raises OSError, and ValueError once standard output is closed.
    """
    file = sys.stdout.buffer
    with _lock:
        if not _is_shared_pipe(file.fileno()):
            file.write(lines)
            file.flush()
            return
        start = 0
        while start < len(lines):
            end = lines.rfind(b"\n", start, start + select.PIPE_BUF) + 1
            end = end or lines.find(b"\n", start) + 1 or len(lines)
            file.write(lines[start:end])
            file.flush()
            start = end


def _is_shared_pipe(descriptor: int) -> bool:
    """Whether a large write could be mixed with others': a file takes any at once."""
    out = os.fstat(descriptor)
    if stat.S_ISREG(out.st_mode):
        return False
    return _others.is_set() or os.path.samestat(out, os.fstat(sys.stderr.fileno()))
