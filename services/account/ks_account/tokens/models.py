"""What clients send about API tokens, and what is allowed in it."""

import re
from typing import Annotated

from pydantic import BaseModel, Field

from servicekit.errors import BadRequest
from servicekit.quantities import parse_duration

VERBS = frozenset(("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "*"))
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._-]{0,61}[A-Za-z0-9])?")
_WORKSPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?|\*")
_MOST_WORKSPACES = 50
_SHORTEST = 60.0
_DEFAULT = "720h"

Word = Annotated[str, Field(max_length=63)]


class NewToken(BaseModel):
    """An API token to be made. `verbs` and `workspaces` are what it may be used for; `*` stands for all."""

    name: str = ""
    verbs: list[Word] = Field(default=[], max_length=len(VERBS))
    workspaces: list[Word] = Field(default=[], max_length=_MOST_WORKSPACES)
    lifetime: str = Field(default=_DEFAULT, max_length=32)
    """A duration such as 720h, from a minute up to `account.apiTokenLifetime`."""


def check_name(name: str) -> str:
    """The name. Raises BadRequest unless a person can read it in a list."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            "invalid name: it must be at most 63 letters, digits, spaces, '.', '_' or '-', and begin and end "
            "with a letter or digit",
            reason="InvalidName",
        )
    return name


def check_verbs(verbs: list[str]) -> tuple[str, ...]:
    """The verbs, each once. Raises BadRequest for none and for others than Kubernetes has."""
    if not verbs or not VERBS.issuperset(verbs):
        raise BadRequest(f"verbs must be some of {', '.join(sorted(VERBS))}", reason="InvalidScope")
    return tuple(dict.fromkeys(verbs))


def check_workspaces(workspaces: list[str]) -> tuple[str, ...]:
    """The workspaces, each once. Raises BadRequest for none and for what cannot be the name of one."""
    if not workspaces or not all(_WORKSPACE.fullmatch(name) for name in workspaces):
        raise BadRequest("workspaces must be names of workspaces, or * for everything", reason="InvalidScope")
    return tuple(dict.fromkeys(workspaces))


def check_lifetime(text: str, longest: float) -> float:
    """The seconds of a duration. Raises BadRequest unless they are between a minute and `longest`."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise BadRequest(f"invalid lifetime: {error}", reason="InvalidLifetime") from error
    if not _SHORTEST <= seconds <= longest:
        raise BadRequest(
            f"invalid lifetime: it must be from 1m to {longest / 3600:g}h", reason="InvalidLifetime"
        )
    return seconds
