"""Amounts as Kubernetes writes them: `500m`, `20Gi`, `2`."""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_FACTORS = {
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}


def amount(text: str) -> Decimal:
    """What `text` stands for, in bytes or cores.

    The format is https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/.  Raises
    ValueError on anything else.
    """
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        raise ValueError("a quantity is a number with a unit, such as 20Gi, 400Mi or 500m")
    number, unit = found.groups()
    return Decimal(number) * _FACTORS.get(unit, Decimal(1))
