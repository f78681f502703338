"""The part of a list's query string that changes what the request is: `watch`, and a selector of one name.

The API server decodes the whole query into ListOptions first, and lets the field selector name the object
only when all of it is well formed; so this reads the other options too, to know whether they are. Sources:
metainternalversion.ListOptions and the selector grammars of k8s.io/apimachinery (pkg/fields, pkg/labels).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

_QUALIFIED = (
    r"(?:[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)*/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
)
_VALUE = r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"
_REQUIREMENT = (
    rf" ?(?:! ?{_QUALIFIED}|{_QUALIFIED}(?: ?(?:==|=|!=) ?{_VALUE}| ?[<>] ?0{{0,40}}[0-9]{{1,18}}"
    rf"| (?:in|notin) ?\( ?{_VALUE} ?(?:, ?{_VALUE} ?)*\))?) ?"
)
_LABEL_SELECTOR = re.compile(rf" ?|{_REQUIREMENT}(?:,{_REQUIREMENT})*")
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")
_INTEGER = re.compile(r"[+-]?0*[0-9]{1,18}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TERM = re.compile(r"(?:[^\\,]|\\.|\\$)+", re.DOTALL)
_TERM_PARTS = re.compile(r"(.*?)(!=|==|=)(.*)", re.DOTALL)
_ESCAPED_VALUE = re.compile(r"(?:[^\\,=]|\\[\\,=])*", re.DOTALL)


class MalformedSelector(ValueError):
    """A field selector that the API server refuses."""


class ListOptions(NamedTuple):
    """`watch`: a stream of changes is wanted. `name`: the one object that is selected, or an empty string."""

    watch: bool
    name: str

    @classmethod
    def of(cls, query: str | Mapping[str, str]) -> "ListOptions":
        """Reads a query string (percent-encoded) or its first value for each key (decoded)."""
        values = query if isinstance(query, Mapping) else _first_values(query)
        watch = values.get("watch", "false").lower() not in ("false", "0")
        return cls(watch, _selected_name(values))


def _selected_name(values: Mapping[str, str]) -> str:
    selector = values.get("fieldSelector")
    if not selector or not _well_formed(values):
        return ""
    try:
        name = required_value(selector, "metadata.name")
    except MalformedSelector:
        return ""
    return "" if name in (".", "..") or "/" in name or "%" in name else name


def _well_formed(values: Mapping[str, str]) -> bool:
    return bool(
        _INTEGER.fullmatch(values.get("limit", "0"))
        and _INTEGER.fullmatch(values.get("timeoutSeconds", "0"))
        and _LABEL_SELECTOR.fullmatch(_WHITE_SPACE.sub(" ", values.get("labelSelector", "")))
    )


def required_value(selector: str, field: str) -> str:
    """The value that `selector` requires of `field`, or an empty string; raises `MalformedSelector`."""
    terms = [_parsed(term) for term in sorted(_TERM.findall(selector))]
    return next((value for key, operator, value in terms if key == field and operator != "!="), "")


def _parsed(term: str) -> tuple[str, str, str]:
    parts = _TERM_PARTS.fullmatch(term)
    if parts is None:
        raise MalformedSelector(f'the field selector has a term without "=" or "!=": "{term}"')
    key, operator, value = parts.groups()
    if _ESCAPED_VALUE.fullmatch(value) is None:
        raise MalformedSelector(f'the field selector has a value that is not escaped properly: "{value}"')
    return key, operator, re.sub(r"\\(.)", r"\1", value)


def _first_values(query: str) -> dict[str, str]:
    """The first value of each key; as in Go's net/url, pairs with ";" or a bad escape do not count."""
    values: dict[str, str] = {}
    for pair in query.split("&"):
        if ";" in pair or _BAD_ESCAPE.search(pair):
            continue
        key, _, value = pair.partition("=")
        values.setdefault(_unquoted(key), _unquoted(value))
    return values


def _unquoted(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode(errors="replace")
