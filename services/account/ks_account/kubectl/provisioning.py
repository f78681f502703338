"""Gives users what they need to reach the cluster, beside the requests that show the need.

A user is due when made and when signing in. Administrators get the pod with kubectl too, as in v2.1.1, others
when they ask for it. What is known to be in order is not looked at again until it is
to be renewed. Nothing is lost with this process: the next login makes up for it.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Container

from ks_account.clients.directory import Directory
from ks_account.clients.kubernetes import translated
from ks_account.kubectl.kubeconfigs import Kubeconfigs
from ks_account.kubectl.terminals import TerminalPod, Terminals
from ks_account.users import models
from servicekit.errors import NotFound, ServiceError

_WORKERS = 4
_MOST = 10_000
"""Users who wait, and users who are remembered."""
_TRIES = 6
_FIRST_PAUSE = 1.0

log = logging.getLogger(__name__)


class Provisioning:
    """Makes kubeconfigs and terminals of users, in the background or at once."""

    def __init__(
        self,
        directory: Directory,
        kubeconfigs: Kubeconfigs,
        terminals: Terminals,
        *,
        enabled: bool,
        administrators: Callable[[], Container[str]],
    ) -> None:
        """Unless `enabled`, nothing is made in the background."""
        self._directory = directory
        self._kubeconfigs = kubeconfigs
        self._terminals = terminals
        self._enabled = enabled
        self._administrators = administrators
        self._waiting: asyncio.Queue[tuple[str, int]] = asyncio.Queue(_MOST)
        self._in_order: OrderedDict[str, float] = OrderedDict()

    def due(self, username: str) -> None:
        """See to it soon that the user has a kubeconfig. Returns at once; it may be called for every
        login.
        """
        if not self._enabled or self._in_order.get(username, 0) > time.monotonic():
            return
        self._put(username, 0)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(_WORKERS):
                workers.create_task(self._work())

    async def kubeconfig(self, username: str) -> str:
        """The kubeconfig of a user, made or renewed where it has to be. Raises NotFound for no user, and for
        one who is locked.
        """
        if not models.is_name(username) or not await self._is_let_in(username):
            raise NotFound(f"user {username} does not exist, is locked, or has no name for Kubernetes")
        with translated():
            text, left = await self._kubeconfigs.ensure(username)
        if not await self._is_let_in(username):  # no longer, and what was made came too late
            await self.remove_kubeconfig(username)
            raise NotFound(f"user {username} does not exist, or is locked")
        self._remember(username, left)
        return text

    async def terminal(self, username: str) -> TerminalPod:
        """Where the user's kubectl runs, which is started if it does not. Raises Unavailable until then."""
        await self.kubeconfig(username)
        await self._ensure_terminal(username)
        with translated():
            return await self._terminals.pod(username)

    async def withdraw(self, username: str) -> None:
        """Take away what the user has. Raises Unavailable."""
        await self.remove_kubeconfig(username)
        await self.remove_terminal(username)

    async def remove_kubeconfig(self, username: str) -> int:
        """Remove the kubeconfig of a user; gives how many objects that were."""
        self._in_order.pop(username, None)
        if not models.is_name(username):
            return 0
        with translated():
            return await self._kubeconfigs.remove(username)

    async def remove_terminal(self, username: str) -> int:
        """Remove the terminal of a user; gives how many objects that were."""
        if not models.is_name(username):
            return 0
        with translated():
            return await self._terminals.remove(username)

    async def _ensure_terminal(self, username: str) -> None:
        with translated():
            await self._terminals.ensure(username)
            if not await self._is_let_in(username):
                await self._terminals.remove(username)
                raise NotFound(f"user {username} does not exist, or is locked")

    async def _is_let_in(self, username: str) -> bool:
        entry = await self._directory.user(username)
        return entry is not None and not entry.locked

    async def _work(self) -> None:
        while True:
            username, tries = await self._waiting.get()
            if self._in_order.get(username, 0) > time.monotonic():
                continue
            try:
                await self.kubeconfig(username)
                if username in self._administrators():
                    await self._ensure_terminal(username)
            except NotFound as error:
                log.info("no kubeconfig or terminal for %s: %s", username, error.message)
            except ServiceError as error:
                self._again(username, tries + 1, error)

    def _again(self, username: str, tries: int, error: ServiceError) -> None:
        self._in_order.pop(username, None)
        log.warning("no kubeconfig or terminal for %s yet: %s", username, error.message)
        if tries < _TRIES:
            pause = _FIRST_PAUSE * 4**tries
            asyncio.get_running_loop().call_later(pause, self._put, username, tries)

    def _put(self, username: str, tries: int) -> None:
        try:
            self._waiting.put_nowait((username, tries))
        except asyncio.QueueFull:
            log.warning("too many users wait for a kubeconfig; %s gets one at another login", username)

    def _remember(self, username: str, left: float) -> None:
        self._in_order[username] = time.monotonic() + left
        self._in_order.move_to_end(username)
        if len(self._in_order) > _MOST:
            self._in_order.popitem(last=False)
