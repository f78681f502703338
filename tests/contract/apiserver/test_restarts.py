"""Kubernetes' API server ends in the middle of lists and of watches, and comes back."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from harness.waiting import eventually
from kubekit.resource import CONFIG_MAPS

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(300)]

RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
OBJECTS = 40


@asynccontextmanager
async def asking(client, path):
    """Asks for `path` again and again, from several sides; gives what was answered, by status."""
    answers = []

    async def ask():
        while True:
            answers.append(await client.get(path))
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(ask()) for _ in range(4)]
    try:
        yield answers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def told_of(socket, last):
    """Reads what a watch is told until it says that there are `last` objects."""
    while True:
        message = json.loads(await socket.receive_str())
        if message.get("total_count") == last:
            return message


async def test_lists_and_watches_outlast_it(kubernetes, tenants, as_, apiserver, cluster):
    namespace = await tenants.namespace("lasting", tenants.name("demo-ws"), admin=["erin"])
    for number in range(OBJECTS):
        await cluster.create(CONFIG_MAPS, {"metadata": {"name": f"kept-{number:02d}"}}, namespace)
    erin = as_(tenants, "erin")
    cached = f"{RESOURCES}/namespaces/{namespace}/configmaps?conditions=name~kept&paging=limit%3D-1,page%3D1"
    as_caller = f"{RESOURCES}/namespaces/{namespace}/secrets"

    async def all_there():
        assert (await erin.get(cached)).json.get("total_count") == OBJECTS
        assert (await erin.get(as_caller)).status == 200

    await eventually(all_there, timeout=60)
    page = {"id": "a", "resource": "configmaps", "namespace": namespace}
    page["query"] = "conditions=name~kept&paging=limit=100,page=1"
    async with (
        aiohttp.ClientSession(headers=erin.signed_headers()) as session,
        session.ws_connect(f"{apiserver.url}{RESOURCES}/watch") as socket,
        asyncio.timeout(240),
    ):
        await socket.send_json(page)
        await told_of(socket, OBJECTS)
        async with asking(erin, cached) as lists, asking(erin, as_caller) as direct:
            await eventually(lambda: _some(lists, direct), timeout=60)
            await kubernetes.stop_apiserver(hard=True)
            try:
                await eventually(lambda: _has(direct, 503), timeout=60)
                seen = len(lists)
                await eventually(lambda: _more(lists, seen + 10), timeout=60)
            finally:
                await kubernetes.start_apiserver()
            await eventually(lambda: _last(direct, 200), timeout=120)
        await cluster.create(CONFIG_MAPS, {"metadata": {"name": "kept-later"}}, namespace)
        message = await told_of(socket, OBJECTS + 1)
        assert [item["metadata"]["name"] for item in message["changed"]] == ["kept-later"]
    # What rests in memory was whole at every moment; what is read anew was whole, or said why it was not.
    assert {(answer.status, answer.json["total_count"]) for answer in lists} == {(200, OBJECTS)}
    # A Kubernetes that has just started refuses everybody until it has read its own roles.
    assert {answer.status for answer in direct} - {403} == {200, 503}
    refused = next(answer for answer in direct if answer.status == 503)
    assert "kubernetes is not available" in refused.message


async def _some(*answers):
    assert all(len(each) > 10 for each in answers)


async def _has(answers, status):
    assert any(answer.status == status for answer in answers)


async def _more(answers, count):
    assert len(answers) > count


async def _last(answers, status):
    assert answers
    assert answers[-1].status == status
