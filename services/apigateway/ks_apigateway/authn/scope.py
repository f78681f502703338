"""What an API token may be used for, as its claim `scope` says."""

from dataclasses import dataclass
from typing import Any, cast

ALL = "*"
_MOST = 100
"""Words of either list; a token with more is none of ours."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Verbs of Kubernetes, and workspaces; `*` stands for all of them."""

    verbs: frozenset[str]
    workspaces: frozenset[str]

    @property
    def is_everywhere(self) -> bool:
        """Whether it is not bound to workspaces."""
        return ALL in self.workspaces

    def has_verb(self, verb: str) -> bool:
        """Whether it covers `verb`."""
        return ALL in self.verbs or verb in self.verbs


def read(claim: Any) -> Scope | None:
    """The scope of a claim; None for one that does not say plainly what the token is for."""
    if not isinstance(claim, dict):
        return None
    values = cast("dict[str, Any]", claim)
    verbs, workspaces = _words(values.get("verbs")), _words(values.get("workspaces"))
    return Scope(verbs, workspaces) if verbs and workspaces else None


def _words(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or len(cast("list[Any]", value)) > _MOST:
        return frozenset()
    words = [word for word in cast("list[Any]", value) if isinstance(word, str) and word]
    return frozenset(words) if len(words) == len(cast("list[Any]", value)) else frozenset()
