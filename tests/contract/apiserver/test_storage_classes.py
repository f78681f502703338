"""Changing storage classes."""

import itertools

import pytest

from kubekit.resource import STORAGE_CLASSES

pytestmark = pytest.mark.kubernetes

CLASSES = "/kapis/resources.kubesphere.io/v1alpha2/storageclasses"
DEFAULT = "storageclass.kubernetes.io/is-default-class"
OLD_DEFAULT = "storageclass.beta.kubernetes.io/is-default-class"
NUMBERS = itertools.count(1)
MODES = {"storageclass.kubesphere.io/supported_access_modes": '["ReadWriteOnce"]'}


@pytest.fixture
async def classes(cluster, tenants):
    """Two, the first of which is the default, as older clusters mark it."""
    made = []
    for annotations in ({DEFAULT: "true", OLD_DEFAULT: "true"}, {}):
        name = tenants.remove_later(STORAGE_CLASSES, tenants.name(f"class{next(NUMBERS)}"))
        metadata = {"name": name, "annotations": annotations}
        await cluster.create(STORAGE_CLASSES, {"metadata": metadata, "provisioner": "tests.example.com/none"})
        made.append(name)
    yield made
    # A default must not stay: it is what the claims of other tests would get.
    for name in made:
        await cluster.patch(STORAGE_CLASSES, name, {"metadata": {"annotations": None}})


async def patch(client, name, annotations, **more):
    body = {"metadata": {"annotations": annotations}}
    return await client.request("PATCH", f"{CLASSES}/{name}", body=body, **more)


async def annotations_of(cluster, name):
    return (await cluster.get(STORAGE_CLASSES, name))["metadata"].get("annotations") or {}


async def test_one_class_becomes_the_default_in_place_of_the_other(cluster, tenants, as_, classes):
    first, second = classes
    answer = await patch(as_(tenants, "admin"), second, {DEFAULT: "true"})
    assert answer.status == 200
    assert answer.json["metadata"]["name"] == second
    assert (await annotations_of(cluster, second))[DEFAULT] == "true"
    assert await annotations_of(cluster, first) == {}


async def test_other_annotations_are_written_and_answered_as_before(cluster, tenants, as_, classes):
    """STORAGE-1"""
    first, second = classes
    headers = {"Content-Type": "application/merge-patch+json"}
    answer = await patch(as_(tenants, "admin"), second, MODES, headers=headers)
    assert (answer.status, answer.json) == (200, {"message": "success"})
    assert await annotations_of(cluster, second) == MODES
    assert DEFAULT in await annotations_of(cluster, first)


async def test_a_class_that_is_not_there_is_404(tenants, as_):
    """STORAGE-1"""
    answer = await patch(as_(tenants, "admin"), "nosuch", {})
    assert (answer.status, answer.message) == (404, 'storageclasses.storage.k8s.io "nosuch" not found')


async def test_only_whom_kubernetes_lets_changes_a_class(cluster, tenants, as_, classes):
    rules = [{"apiGroups": ["resources.kubesphere.io"], "resources": ["storageclasses"], "verbs": ["*"]}]
    await tenants.bind_everywhere("sam", await tenants.cluster_role("served-classes", rules))
    before = await annotations_of(cluster, classes[1])
    for person in ("sam", "erin"):
        answer = await patch(as_(tenants, person), classes[1], {DEFAULT: "true"})
        assert answer.status == 403
        assert classes[1] not in answer.text
    assert await annotations_of(cluster, classes[1]) == before
