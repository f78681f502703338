"""Why a terminal ends: the code and the reason of its close frame (RFC 6455, 7.4)."""

from typing import NamedTuple

FIRST_OWN_CODE = 4000
"""From here on codes mean what is written here; those below mean what they mean everywhere."""
MAX_REASON = 123
"""Bytes that a close frame has room for."""


class Ending(NamedTuple):
    """`code` is for programs, `reason` for people."""

    code: int
    reason: str

    @property
    def in_close_frame(self) -> bytes:
        """The reason, cut where a close frame has no more room."""
        return self.reason.encode()[:MAX_REASON].decode("utf-8", "ignore").encode()


LEFT = Ending(1000, "the user left")
STOPPING = Ending(1001, "the service is stopping; open the terminal again")
SILENT = Ending(1001, "the other side gave no sign of life")
WITHDRAWN = Ending(4403, "you may no longer run commands in this container")
NO_SHELL = Ending(4404, "the container has no shell that could be started")


def exited(exit_code: int) -> Ending:
    """The shell ended by itself."""
    return Ending(1000, "Process exited" + (f" with code {exit_code}" if exit_code else ""))


def refused(why: str) -> Ending:
    """What the user's side sent makes no sense."""
    return Ending(4400, why)


def failed(why: str) -> Ending:
    """Kubernetes could not start the shell."""
    return Ending(4500, f"the shell could not be started: {why}")


def lost(why: str) -> Ending:
    """The connection to Kubernetes broke."""
    return Ending(4503, f"kubernetes is not available: {why}")


def idle(seconds: float) -> Ending:
    """Nobody did anything for that long."""
    return Ending(4408, f"nothing was typed or printed for {seconds:g} s (terminal.idleTimeout)")


def too_long(seconds: float) -> Ending:
    """It has lasted as long as it may."""
    return Ending(4409, f"a terminal may last {seconds:g} s (terminal.maxDuration)")
