"""Names that a path may hold."""

from typing import Annotated

from pydantic import StringConstraints

Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
"""A name that a namespace can have: a label of RFC 1123."""

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
"""A name that most objects can have: a subdomain of RFC 1123."""
