"""What a service needs of others, declared where the application is built."""

from typing import Protocol


class Dependency(Protocol):
    """A back end: opened when the service starts, checked while it runs, closed in reverse when it stops."""

    @property
    def name(self) -> str:
        """The word for it in `/readyz` and in errors, such as `redis`."""
        ...

    async def open(self) -> None:
        """Makes it usable. Must not fail because the other side is down: `check` reports that."""
        ...

    async def check(self) -> None:
        """Returns when the other side answers; else raises an exception whose text is the reason."""
        ...

    async def close(self) -> None:
        """Gives everything back. Called once, also when `open` failed."""
        ...
