"""Whole lines on standard output, beside those of other processes and threads."""

import select
import sys


def write_lines(lines: bytes) -> None:
    """Writes `lines`, in pieces that the kernel does not mix with those of others where it can. Raises
    OSError, and ValueError once standard output is closed.
    """
    file = sys.stdout.buffer
    start = 0
    while start < len(lines):
        end = lines.rfind(b"\n", start, start + select.PIPE_BUF) + 1
        end = end or lines.find(b"\n", start) + 1 or len(lines)
        file.write(lines[start:end])
        file.flush()
        start = end
