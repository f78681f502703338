"""Selector expressions, as NamespaceNetworkPolicies write them, to label selectors.  Pure.

The language is that of Calico's policies:
https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selector. An expression becomes label
selectors of which one must match; what label selectors cannot say is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

MAX_LENGTH = 4096
MAX_DEPTH = 20
MAX_ALTERNATIVES = 64
"""Label selectors that one expression may become."""

_TOKENS = re.compile(
    r"""\s*(?:(?P<op>&&|\|\||==|!=|[!(){},])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[A-Za-z0-9_./-]+))"""
)


class NotExpressible(ValueError):
    """The text says to a user what cannot be said by NetworkPolicies, or cannot be read."""


class Requirement(NamedTuple):
    """One requirement of a label selector."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


Conjunction = frozenset[Requirement]
Alternatives = list[Conjunction]

_NEGATED = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}


def selectors(expression: str) -> list[dict[str, Any]]:
    """The label selectors of which one is to match. The empty expression matches everything.

    Raises NotExpressible.
    """
    if not expression.strip():
        return [{}]
    if len(expression) > MAX_LENGTH:
        raise NotExpressible(f"a selector has more than {MAX_LENGTH} characters")
    parser = _Parser(expression)
    return [_label_selector(one) for one in _merged(parser.whole())]


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Alternatives:
        found = self._either(negated=False)
        if self._at < len(self._tokens):
            raise self._unreadable()
        return found

    def _either(self, negated: bool) -> Alternatives:
        operands = [self._both(negated)]
        while self._take("||"):
            operands.append(self._both(negated))
        return _all_of(operands) if negated else _any_of(operands)

    def _both(self, negated: bool) -> Alternatives:
        operands = [self._single(negated)]
        while self._take("&&"):
            operands.append(self._single(negated))
        return _any_of(operands) if negated else _all_of(operands)

    def _single(self, negated: bool) -> Alternatives:
        if self._take("!"):
            return self._single(not negated)
        if self._take("("):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise NotExpressible(f"the selector {self._text[:80]!r} is nested too deeply")
            found = self._either(negated)
            self._depth -= 1
            self._need(")")
            return found
        return self._requirement(negated)

    def _requirement(self, negated: bool) -> Alternatives:
        name = self._word()
        if name == "all" and self._take("("):
            self._need(")")
            return [] if negated else [frozenset()]
        if name == "has" and self._take("("):
            found = Requirement(self._word(), "Exists")
            self._need(")")
        else:
            found = self._comparison(name)
        if negated:
            found = found._replace(operator=_NEGATED[found.operator])
        return [frozenset([found])]

    def _comparison(self, key: str) -> Requirement:
        if self._take("=="):
            return Requirement(key, "In", (self._string(),))
        if self._take("!="):
            return Requirement(key, "NotIn", (self._string(),))
        word = self._word()
        if word == "in":
            return Requirement(key, "In", self._set())
        if word == "not":
            if self._word() != "in":
                raise self._unreadable()
            return Requirement(key, "NotIn", self._set())
        raise NotExpressible(f"{word!r} in the selector {self._text[:80]!r} has no counterpart")

    def _set(self) -> tuple[str, ...]:
        self._need("{")
        values = [self._string()]
        while self._take(","):
            values.append(self._string())
        self._need("}")
        return tuple(sorted(set(values)))

    def _take(self, operator: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("op", operator):
            self._at += 1
            return True
        return False

    def _need(self, operator: str) -> None:
        if not self._take(operator):
            raise self._unreadable()

    def _word(self) -> str:
        return self._of("word")

    def _string(self) -> str:
        return self._of("string")

    def _of(self, kind: str) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != kind:
            raise self._unreadable()
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _unreadable(self) -> NotExpressible:
        return NotExpressible(
            f"the selector {self._text[:80]!r} cannot be read from its part {self._at + 1} on"
        )


def _tokens(text: str) -> Iterable[tuple[str, str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKENS.match(text, position)
        if match is None:
            raise NotExpressible(f"the selector {text[:80]!r} cannot be read at {text[position:][:20]!r}")
        kind = match.lastgroup or ""
        yield ("string" if kind in ("double", "single") else kind), match[kind]
        position = match.end()


def _any_of(operands: list[Alternatives]) -> Alternatives:
    return _bounded([one for operand in operands for one in operand])


def _all_of(operands: list[Alternatives]) -> Alternatives:
    found: Alternatives = [frozenset()]
    for operand in operands:
        found = _bounded([one | other for one, other in product(found, operand)])
    return found


def _bounded(found: Alternatives) -> Alternatives:
    found = list(dict.fromkeys(found))
    if len(found) > MAX_ALTERNATIVES:
        raise NotExpressible(f"a selector has more than {MAX_ALTERNATIVES} alternatives")
    return found


def _merged(found: Alternatives) -> Alternatives:
    """The alternatives, those that allow different values of one label as one."""
    if len(found) < 2 or any(len(one) != 1 for one in found):
        return found
    requirements = [next(iter(one)) for one in found]
    keys = {(requirement.key, requirement.operator) for requirement in requirements}
    if len(keys) != 1 or requirements[0].operator != "In":
        return found
    values = sorted({value for requirement in requirements for value in requirement.values})
    return [frozenset([Requirement(requirements[0].key, "In", tuple(values))])]


def _label_selector(conjunction: Conjunction) -> dict[str, Any]:
    labels: dict[str, str] = {}
    expressions: list[dict[str, Any]] = []
    for key, operator, values in sorted(conjunction):
        if operator == "In" and len(values) == 1 and key not in labels:
            labels[key] = values[0]
        elif values:
            expressions.append({"key": key, "operator": operator, "values": list(values)})
        else:
            expressions.append({"key": key, "operator": operator})
    selector: dict[str, Any] = {"matchLabels": labels} if labels else {}
    return selector | ({"matchExpressions": expressions} if expressions else {})
