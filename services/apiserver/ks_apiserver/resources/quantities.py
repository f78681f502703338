"""Quantities of Kubernetes, such as `8Gi` and `250m`: taking one from another.

The format is that of https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ in its
canonical form: the largest unit in which the amount is a whole number.
"""

import re
from decimal import Decimal
from typing import NamedTuple

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
"""Powers of ten."""
_BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
"""Powers of 1024."""
_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([KMGTPE]i)|[eE]([+-]?[0-9]{1,3})|([numkMGTPE]?))")


class Quantity(NamedTuple):
    """An amount, and whether it is written in powers of 1024, or with an exponent of ten."""

    amount: Decimal
    binary: bool = False
    exponent: bool = False

    @classmethod
    def of(cls, text: str) -> "Quantity":
        """The quantity that `text` writes. Raises ValueError when it writes none."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no quantity; write numbers such as 2, 500m or 8Gi")
        number, binary, exponent, unit = match.groups()
        if binary:
            return cls(Decimal(number) * 1024 ** _BINARY.index(binary), binary=True)
        if exponent:
            return cls(Decimal(number).scaleb(int(exponent)), exponent=True)
        return cls(Decimal(number).scaleb(_DECIMAL[unit or ""]))

    def __str__(self) -> str:
        if self.binary and abs(self.amount) >= 1024:
            return _in_binary(self.amount)
        whole, power = _whole(int(self.amount.scaleb(9).to_integral_value()), -9)
        if self.exponent:
            return f"{whole}e{power}" if power else str(whole)
        unit = next(unit for unit, of_unit in _DECIMAL.items() if of_unit == power)
        return f"{whole}{unit}"


def left(hard: str, used: str) -> str:
    """What is left of a limit, written as the limit is; never less than nothing. Raises ValueError."""
    limit = Quantity.of(hard)
    rest = limit.amount - Quantity.of(used).amount
    return str(limit._replace(amount=max(rest, Decimal(0))))


def smaller(one: str, other: str) -> str:
    """The smaller of two quantities, as it is written. Raises ValueError."""
    return other if Quantity.of(other).amount < Quantity.of(one).amount else one


def _in_binary(amount: Decimal) -> str:
    whole, power = int(amount.to_integral_value(rounding="ROUND_CEILING")), 0
    while whole % 1024 == 0 and power < len(_BINARY) - 1:
        whole, power = whole // 1024, power + 1
    return f"{whole}{_BINARY[power]}"


def _whole(number: int, power: int) -> tuple[int, int]:
    """The same amount with the largest unit, in steps of a thousand, that keeps it whole."""
    if number == 0:
        return 0, 0
    while number % 1000 == 0 and power < _DECIMAL["E"]:
        number, power = number // 1000, power + 3
    return number, power
