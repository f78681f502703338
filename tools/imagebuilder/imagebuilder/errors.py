"""What can go wrong."""


class BuildFailed(Exception):
    """An image cannot be made; the text says which, and why."""
