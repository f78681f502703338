"""The stack's secrets: made at random when first asked for, kept in files that only their owner may read."""

import secrets
from pathlib import Path

from devstack.program import write_private


class Secrets:
    """The secrets of one stack, by name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def file(self, name: str, size: int = 32) -> Path:
        """The file that holds the secret `name`, made of `size` random bytes when it is not there."""
        path = self._directory / name
        if not path.exists():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # No newline at the end: whoever reads the file unstripped must get the same key.
            write_private(path, secrets.token_urlsafe(size))
        return path

    def value(self, name: str) -> str:
        """The secret `name` itself: letters, digits, dash and underscore."""
        return self.file(name).read_text().strip()
