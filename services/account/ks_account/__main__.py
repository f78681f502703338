"""Placeholder until the service is written."""


def main() -> None: ...
