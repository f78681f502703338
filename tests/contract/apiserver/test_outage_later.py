"""Kubernetes goes away while the service runs, and comes back."""

import pytest

from harness.waiting import eventually
from kubekit.resource import NAMESPACES

pytestmark = pytest.mark.kubernetes

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"


async def test_what_was_read_is_still_answered_and_writes_say_why_they_fail(kubernetes, tenants, as_):
    erin = as_(tenants, "erin")
    path = f"{TENANT}/workspaces/{tenants.name('demo-ws')}/namespaces"
    body = {"metadata": {"name": tenants.remove_later(NAMESPACES, tenants.name("after"))}}
    assert (await erin.get(path)).status == 200

    await kubernetes.stop_apiserver(hard=True)
    try:

        async def noticed():
            ready = await erin.get("/readyz")
            assert ready.status == 503
            assert ready.json["dependencies"]["kubernetes"]["reason"]

        await eventually(noticed, timeout=30)
        assert (await erin.get(path)).status == 200
        refused = await erin.post(path, body)
        assert refused.status == 503, refused.text
        assert "kubernetes is not available" in refused.message
        assert (await erin.delete(f"{path}/x")).status == 503
    finally:
        await kubernetes.start_apiserver()

    async def back():
        assert (await erin.get("/readyz")).status == 200

    await eventually(back, timeout=120)
    assert (await erin.post(path, body)).status == 200
