"""What an image is called: the grammar of github.com/distribution/reference, as Docker completes it."""

import re
from dataclasses import dataclass

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"[a-zA-Z0-9][a-zA-Z0-9-]{0,62}"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
_REFERENCE = re.compile(
    rf"(?:(?P<domain>{_HOST})/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>[a-z0-9+._-]+:[0-9a-fA-F]{32,128}))?"
)
_MAX_PATH = 255
DOCKER_HUB = "docker.io"
_HUB_NAMES = frozenset((DOCKER_HUB, "index.docker.io", "registry-1.docker.io"))


class MalformedReference(ValueError):
    """What is called so is no image."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An image. `tag` is `latest` where neither it nor a digest is given."""

    domain: str
    path: str
    tag: str
    digest: str

    @property
    def version(self) -> str:
        """What its manifest is found by."""
        return self.digest or self.tag


def parse(image: str) -> Reference:
    """The image that `[http://][domain/]path[:tag][@digest]` names. Raises MalformedReference."""
    text = re.sub(r"^https?://", "", image)
    first, slash, _ = text.partition("/")
    if slash and not ({".", ":"} & set(first) or first == "localhost" or first != first.lower()):
        text = f"{DOCKER_HUB}/{text}"
    elif not slash:
        text = f"{DOCKER_HUB}/library/{text}"
    found = _REFERENCE.fullmatch(text) if len(text) < 1024 else None
    if found is None or len(found["path"]) > _MAX_PATH:
        raise MalformedReference(f'parsing image "{image[:128]}" failed: invalid reference format')
    digest = found["digest"] or ""
    tag = found["tag"] or ("" if digest else "latest")
    return Reference(found["domain"] or DOCKER_HUB, found["path"], tag, digest)


def host_of(domain: str) -> str:
    """Where the API of a registry is served."""
    return "registry-1.docker.io" if domain in _HUB_NAMES else domain


def registry_of(address: str) -> tuple[str, str]:
    """Scheme and host of a registry, as people write it: `https://index.docker.io/v1/`, `host:5000`."""
    scheme, separator, rest = address.strip().partition("://")
    if not separator:
        scheme, rest = "https", address.strip()
    return scheme.lower(), host_of(rest.partition("/")[0].lower())
