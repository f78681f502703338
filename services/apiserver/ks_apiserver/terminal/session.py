"""One terminal: between the user's connection and a shell in a container, until either ends.

Nothing is queued on the way: each side is read only as fast as the other takes it.
"""

import asyncio
import codecs
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from ks_apiserver.terminal import endings, messages, shells
from ks_apiserver.terminal.endings import Ending
from kubekit.errors import KubernetesError, Unreachable
from kubekit.exec import Exec

MAX_EARLY = 64 * 1024
"""Bytes typed before a shell has answered that are kept for the next one to be tried."""
LOST_AFTER = 4
"""Pings without any sign of life, after which the other side is given up."""

Start = Callable[[Sequence[str]], AbstractAsyncContextManager[Exec]]
"""Starts a command in the container."""
Event = Callable[[], Awaitable[object]]
"""Returns once something has happened."""


class User(Protocol):
    """The connection to the user."""

    heard: float
    """When anything last came, a pong included; by the clock `time.monotonic`."""

    async def receive(self) -> str | bytes | None:
        """The next message; None once there will be none."""
        ...

    async def send(self, text: str) -> None:
        """Sends a message; waits while the user takes no more. Raises OSError when the user is gone."""
        ...

    async def ping(self) -> None:
        """Asks for a sign of life. Raises OSError likewise."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds."""

    idle: float
    duration: float
    ping: float


class Session:
    """`run` it once."""

    def __init__(self, user: User, start: Start, commands: Sequence[Sequence[str]], limits: Limits) -> None:
        self._user = user
        self._start = start
        self._commands = commands
        self._limits = limits
        self._shell: Exec | None = None
        self._has_shell = asyncio.Event()
        self._early = bytearray()
        self._answered = False
        self._size: messages.Resized | None = None
        self._began = self._active = self._moved = monotonic()

    async def run(self, stopping: asyncio.Event, withdrawn: Event) -> Ending:
        """Lasts until the shell ends, the user leaves, a limit is reached, `stopping` is set or `withdrawn`
        returns: the user may no longer.
        """
        sides = (
            self._type(),
            self._print(),
            self._watch(),
            _after(stopping.wait, endings.STOPPING),
            _after(withdrawn, endings.WITHDRAWN),
        )
        tasks = [asyncio.create_task(side) for side in sides]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(task for task in tasks if task in done).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _type(self) -> Ending:
        """From the user to the shell."""
        while (raw := await self._user.receive()) is not None:
            try:
                message = messages.parse(raw)
            except messages.BadMessage as error:
                return endings.refused(str(error))
            self._active = monotonic()
            await self._has_shell.wait()
            try:
                await self._pass_on(message)
            except KubernetesError:
                pass  # the shell has ended: `_print` says how, or starts another
        return endings.LEFT

    async def _pass_on(self, message: messages.Typed | messages.Resized) -> None:
        shell = self._shell
        if isinstance(message, messages.Resized):
            self._size = message
            if shell is not None:
                await shell.resize(message.columns, message.rows)
            return
        if not self._answered and len(self._early) + len(message.data) <= MAX_EARLY:
            self._early += message.data
        if shell is not None:
            await shell.write(message.data)

    async def _print(self) -> Ending:
        """From the shell to the user: from the first that can be started."""
        for command in self._commands:
            try:
                ending = await self._run(command)
            except Unreachable as error:
                return endings.lost(error.message)
            except KubernetesError as error:
                return endings.failed(error.message)
            except OSError:
                return endings.LEFT
            if ending is not endings.NO_SHELL:
                return ending
        return endings.NO_SHELL

    async def _run(self, command: Sequence[str]) -> Ending:
        async with self._start(command) as shell:
            try:
                await self._hand_over(shell)
                await self._pass_back(shell)
            finally:
                self._shell = None
                self._has_shell.clear()
            return self._ending_of(shell)

    async def _pass_back(self, shell: Exec) -> None:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while (output := await shell.read()) is not None:
            self._answered = True
            if text := decode(output):
                await self._user.send(messages.stdout(text))
            self._active = self._moved = monotonic()

    async def _hand_over(self, shell: Exec) -> None:
        """Gives the shell what the last one, which was none, was told."""
        self._shell = shell
        with contextlib.suppress(KubernetesError):  # how it ended is read, not written
            if self._size is not None:
                await shell.resize(self._size.columns, self._size.rows)
            if self._early:
                await shell.write(bytes(self._early))
        self._has_shell.set()

    def _ending_of(self, shell: Exec) -> Ending:
        if not self._answered and shells.is_missing(shell.failure, shell.exit_code):
            return endings.NO_SHELL
        if shell.exit_code is None:
            return endings.failed(shell.failure)
        return endings.exited(shell.exit_code)

    async def _watch(self) -> Ending:
        """Asks both sides for signs of life, and watches the limits."""
        while True:
            await asyncio.sleep(self._wait(monotonic()))
            if ending := self._over(monotonic()):
                return ending
            try:
                async with asyncio.timeout(self._limits.ping):
                    await self._user.ping()
                    if self._shell is not None:
                        await self._shell.ping()
            except (TimeoutError, KubernetesError):
                pass  # what is full, or broken, shows where it is read
            except OSError:
                return endings.LEFT

    def _wait(self, now: float) -> float:
        until_end = min(self._active + self._limits.idle, self._began + self._limits.duration) - now
        return max(0.01, min(self._limits.ping, until_end))

    def _over(self, now: float) -> Ending | None:
        patience = LOST_AFTER * self._limits.ping
        if now - self._began >= self._limits.duration:
            return endings.too_long(self._limits.duration)
        if now - self._active >= self._limits.idle:
            return endings.idle(self._limits.idle)
        if now - self._user.heard > patience:
            return endings.SILENT
        if self._shell is not None and now - max(self._shell.heard, self._moved) > patience:
            return endings.lost("the container gave no sign of life")
        return None


async def _after(event: Event, ending: Ending) -> Ending:
    await event()
    return ending
