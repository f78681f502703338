"""A page of a list, whose objects are decoded one at a time.

Decoded at once, the dictionaries of a page take five times its bytes, and the few strings that a cache
keeps of them would hold on to all that memory.
"""

from collections.abc import Iterator

import msgspec
import orjson

from kubekit.errors import KubernetesError
from kubekit.resource import Object, Resource


class _ListMeta(msgspec.Struct):
    resourceVersion: str = ""
    continue_: str | None = msgspec.field(default=None, name="continue")


class _List(msgspec.Struct):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None


_DECODER = msgspec.json.Decoder(_List)


class RawPage:
    """One page: where its objects are in the answer, and what comes after it."""

    def __init__(self, payload: bytes) -> None:
        """Raises KubernetesError when `payload` is no list of the API."""
        try:
            decoded = _DECODER.decode(payload)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise KubernetesError(f"a list was answered with what is none: {error}") from error
        self.resource_version = decoded.metadata.resourceVersion
        self.continue_ = decoded.metadata.continue_ or ""
        self._items = decoded.items or []

    def __len__(self) -> int:
        return len(self._items)

    def objects(self, resource: Resource) -> Iterator[Object]:
        """The objects, each decoded when its turn comes, and saying what it is (items of a list do not)."""
        for raw in self._items:
            obj: Object = orjson.loads(memoryview(raw))
            obj.setdefault("apiVersion", resource.api_version)
            obj.setdefault("kind", resource.kind)
            yield obj
