"""Durations and sizes as configuration files write them."""

import math
import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

_UNITS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "\u00b5s": Decimal("1e-6"),
    "\u03bcs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
_MAX_LENGTH = 64


def parse_duration(value: Any) -> float:
    """Seconds in a duration as Go writes it (https://pkg.go.dev/time#ParseDuration): `40m`, `1h30m`, `1.5s`,
    `300ms`.

    A bare number is taken as seconds. Raises ValueError for anything else.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError("a duration must be finite")
        return float(value)
    text = value.strip() if isinstance(value, str) else ""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if not digits or len(digits) > _MAX_LENGTH:
        raise ValueError("a duration is a number and a unit, such as 40m, 10s or 1h30m")
    if _NUMBER.fullmatch(digits):
        return sign * float(digits)
    return sign * float(sum(Decimal(number) * _UNITS[unit] for number, unit in _parts(digits)))


def _parts(digits: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    position = 0
    while position < len(digits):
        match = _PART.match(digits, position)
        if match is None:
            raise ValueError("a duration is a number and a unit, such as 40m, 10s or 1h30m")
        parts.append((match[1], match[2]))
        position = match.end()
    return parts


Seconds = Annotated[float, BeforeValidator(parse_duration)]
"""A field that reads Go durations and holds seconds."""

_SIZE = re.compile(r"([0-9]+)(|k|M|G|Ki|Mi|Gi)")
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def parse_size(value: Any) -> int:
    """Bytes in a size as Kubernetes writes it: `512Ki`, `10Mi`, `1G`, or a number of bytes. Else raises
    ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) and len(value) < _MAX_LENGTH else None
    if match is None:
        raise ValueError("a size is a number of bytes, or a number and a unit, such as 512Ki or 10Mi")
    return int(match[1]) * _FACTORS[match[2]]


Bytes = Annotated[int, BeforeValidator(parse_size)]
"""A field that reads sizes and holds bytes."""
