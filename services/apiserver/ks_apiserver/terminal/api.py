"""The routes of terminal.kubesphere.io/v1alpha2: a WebSocket to a shell, and the log of a container."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import partial
from time import monotonic
from typing import Annotated

from aiohttp import WSMsgType, web
from pydantic import Field

from ks_apiserver.clients import permissions
from ks_apiserver.clients.permissions import acting_as
from ks_apiserver.names import Namespace, ObjectName
from ks_apiserver.terminal import containers, endings, logs, messages, rights, shells
from ks_apiserver.terminal.config import TerminalSection
from ks_apiserver.terminal.endings import Ending
from ks_apiserver.terminal.session import Event, Limits, Session
from ks_apiserver.terminal.slots import Slots
from ks_apiserver.users.own import Own
from kubekit.cluster import Cluster
from kubekit.resource import PODS
from servicekit.binding import Query
from servicekit.errors import BadRequest
from servicekit.group import Group
from servicekit.health import Health
from servicekit.identity import Identity

CLOSE_TIMEOUT = 2.0
"""Seconds that the user's side has to agree to the end."""


def group(cluster: Cluster, own: Own, config: TerminalSection) -> Group:
    """The routes. What Kubernetes does not let the caller do is refused, but for the own kubectl: nobody has
    rights in its namespace, and a shell in it can do what its user can.
    """
    terminal = Group("terminal.kubesphere.io", "v1alpha2")
    _shells(terminal, cluster, own, config)
    _logs(terminal, cluster, config)
    return terminal


def _shells(group: Group, cluster: Cluster, own: Own, config: TerminalSection) -> None:
    slots = Slots("terminals", config.max_sessions_per_user, config.max_sessions)
    limits = Limits(config.idle_timeout, config.max_duration, config.ping_interval)

    @group.get("/namespaces/{namespace}/pods/{pod}", stream=True)
    async def open_terminal(
        caller: Identity,
        request: web.Request,
        health: Health,
        namespace: Namespace,
        pod: ObjectName,
        container: str = "",
        shell: str = "",
    ) -> web.StreamResponse:
        """A WebSocket to a shell in a container. Without an upgrade: why it cannot be opened, or 400."""
        kubectl = await own.find(caller, namespace, pod)
        if kubectl is not None:
            chosen, who = containers.running_in(kubectl, container), None
            check = partial(own.require, caller, namespace, pod)
        else:
            chosen = await containers.running(cluster, caller, namespace, pod, container)
            who = acting_as(caller)
            check = _may(cluster, caller, "create", namespace, pod, "exec")
        socket = web.WebSocketResponse(
            timeout=CLOSE_TIMEOUT, autoping=False, compress=False, max_msg_size=config.max_message
        )
        if not socket.can_prepare(request):
            raise BadRequest("this is a terminal: open it as a WebSocket")
        with slots.of(caller.user):
            await socket.prepare(request)
            user = _User(socket)
            session = Session(
                user,
                lambda command: cluster.exec(namespace, pod, chosen, command, who),
                shells.commands(shell),
                limits,
            )
            gone = partial(rights.withdrawn, check, config.access_interval)
            await user.end(await session.run(health.stopping, gone))
        return socket


def _logs(group: Group, cluster: Cluster, config: TerminalSection) -> None:
    slots = Slots("logs", config.max_sessions_per_user, config.max_sessions)

    @group.get("/namespaces/{namespace}/pods/{pod}/log", stream=True)
    async def read_log(
        caller: Identity,
        request: web.Request,
        health: Health,
        namespace: Namespace,
        pod: ObjectName,
        container: str = "",
        follow: bool = False,
        previous: bool = False,
        timestamps: bool = False,
        since: Annotated[int | None, Query("sinceSeconds"), Field(ge=1)] = None,
        since_time: Annotated[str, Query("sinceTime")] = "",
        tail: Annotated[int | None, Query("tailLines"), Field(ge=0)] = None,
        limit: Annotated[int | None, Query("limitBytes"), Field(ge=1)] = None,
    ) -> web.StreamResponse:
        """What a container has written, as text; with `follow`, what it writes from now on, too."""
        asked = {
            "container": container,
            "follow": "true" if follow else "",
            "previous": "true" if previous else "",
            "timestamps": "true" if timestamps else "",
            "sinceSeconds": _number(since),
            "sinceTime": since_time,
            "tailLines": _number(tail),
            "limitBytes": _number(limit),
        }
        params = {name: value for name, value in asked.items() if value}
        with slots.of(caller.user):
            async with logs.opened(cluster, caller, namespace, pod, params) as parts:
                check = _may(cluster, caller, "get", namespace, pod, "log")
                gone = partial(rights.withdrawn, check, config.access_interval)
                return await _pass_on(request, parts, (health.stopping.wait, gone), config.max_duration)


def _may(
    cluster: Cluster, caller: Identity, verb: str, namespace: str, pod: str, subresource: str
) -> rights.Check:
    return partial(
        permissions.require,
        cluster,
        caller,
        verb,
        PODS,
        name=pod,
        namespace=namespace,
        subresource=subresource,
    )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


async def _pass_on(
    request: web.Request,
    parts: AsyncIterator[bytes],
    ends: Iterable[Event],
    seconds: float,
) -> web.StreamResponse:
    """Answers with `parts` until they end, one of `ends` does or `seconds` have passed.

    Whatever but their end breaks the connection off: an end in good order would say that the log ends there.
    """
    answer = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    copying = asyncio.ensure_future(_copy(parts, answer))
    tasks = [copying, *(asyncio.ensure_future(end()) for end in ends)]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if (not copying.done() or copying.exception()) and request.transport is not None:
            request.transport.abort()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return answer


async def _copy(parts: AsyncIterator[bytes], answer: web.StreamResponse) -> None:
    async for part in parts:
        await answer.write(part)


class _User:
    """The connection to the user, as the session sees it."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self.heard = monotonic()

    async def receive(self) -> str | bytes | None:
        while True:
            message = await self._socket.receive()
            self.heard = monotonic()
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                return message.data
            if message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                return None

    async def send(self, text: str) -> None:
        await self._socket.send_str(text)

    async def ping(self) -> None:
        await self._socket.ping()

    async def end(self, ending: Ending) -> None:
        """Says why, in the terminal and in the close frame; to whom has left, nothing."""
        if self._socket.closed:
            return
        try:
            if ending.code >= endings.FIRST_OWN_CODE or ending is endings.STOPPING:
                await self._socket.send_str(messages.toast(ending.reason))
            await self._socket.close(code=ending.code, message=ending.in_close_frame)
        except OSError:
            pass
