"""The messages of a terminal, in the format of v2.1.1 (pkg/models/terminal), which is Kubernetes Dashboard's.

stdin    from the user  Data        what was typed
resize   from the user  Rows, Cols  how large the terminal is
stdout   to the user    Data        what the command printed
toast    to the user    Data        what the platform has to say
"""

from dataclasses import dataclass
from typing import Any, cast

import orjson

MAX_SIDE = 65_535
"""Rows or columns; they are 16 bits wide at Kubernetes."""


class BadMessage(ValueError):
    """What was received is no message of a terminal."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the user typed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Resized:
    """How large the user's terminal is now."""

    columns: int
    rows: int


def parse(raw: str | bytes) -> Typed | Resized:
    """The message in `raw`. Keys are matched without regard to case, as in v2.1.1. Raises BadMessage."""
    try:
        decoded = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise BadMessage("a message must be JSON") from None
    if not isinstance(decoded, dict):
        raise BadMessage("a message must be a JSON object")
    fields = {key.lower(): value for key, value in cast("dict[str, Any]", decoded).items()}
    operation = fields.get("op")
    if operation == "stdin":
        return Typed(_text(fields.get("data", "")).encode("utf-8", "replace"))
    if operation == "resize":
        return Resized(_side(fields.get("cols")), _side(fields.get("rows")))
    raise BadMessage(f"unknown message type {str(operation)[:32]!r}")


def stdout(text: str) -> str:
    """What the command printed, as a message."""
    return _message("stdout", text)


def toast(text: str) -> str:
    """What the platform has to say, as a message."""
    return _message("toast", text)


def _message(operation: str, text: str) -> str:
    return orjson.dumps({"Op": operation, "Data": text, "Rows": 0, "Cols": 0}).decode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadMessage("Data must be a string")
    return value


def _side(value: Any) -> int:
    if type(value) is not int or not 0 < value <= MAX_SIDE:
        raise BadMessage(f"Rows and Cols must be whole numbers from 1 to {MAX_SIDE}")
    return value
