"""Archives that are kept from one build to the next."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imagebuilder import cache
from imagebuilder.archive import Archive, digest_of, write_archive
from imagebuilder.layer import Layer

_KEPT = 4  # of one name, as several checkouts may build


def kept_archive(image: str, layers: Sequence[Layer], settings: dict[str, Any], place: Path) -> Archive:
    """The archive of `image`, made where none is kept of these layers and settings.

    It is named as `place` and by its digest; of older ones beside it the last few stay, and the others go.
    """
    digest = digest_of(layers, settings)
    target = place.with_name(f"{place.name}-{digest[:16]}.tar")
    with cache.held(place):
        if target.is_file():
            target.touch()
        else:
            write_archive(image, layers, settings, target)
        kept = sorted(
            place.parent.glob(f"{place.name}-????????????????.tar"), key=lambda path: path.stat().st_mtime
        )
        for path in kept[:-_KEPT]:
            path.unlink()
    return Archive(image, target, digest, sum(layer.size for layer in layers))
