"""Label selectors, as Kubernetes matches them.  Pure.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class UnknownOperator(ValueError):
    """A selector asks in a way that Kubernetes does not know."""


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects what has `labels`. An empty one selects everything.

    Raises UnknownOperator.
    """
    wanted: dict[str, str] = selector.get("matchLabels") or {}
    expressions: list[dict[str, Any]] = selector.get("matchExpressions") or []
    answers = [_holds(expression, labels) for expression in expressions]
    return all(labels.get(name) == value for name, value in wanted.items()) and all(answers)


def _holds(expression: dict[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression.get("key", ""))
    values: list[str] = expression.get("values") or []
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case operator:
            raise UnknownOperator(
                f"the operator {operator!r} of {expression.get('key')} is none of "
                "In, NotIn, Exists, DoesNotExist"
            )
