"""Placeholder until the command is written."""


def main() -> None: ...
