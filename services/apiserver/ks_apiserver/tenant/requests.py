"""The bodies that the tenant API takes."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _empty_for_null(value: Any) -> Any:
    return {} if value is None else value


Pairs = Annotated[dict[str, str], BeforeValidator(_empty_for_null)]


class NewMetadata(BaseModel):
    """Of an object's metadata, what its creator may choose; the rest is ignored."""

    model_config = ConfigDict(populate_by_name=True)

    name: str = ""
    generate_name: str = Field(default="", alias="generateName")
    labels: Pairs = {}
    annotations: Pairs = {}


class NewNamespace(BaseModel):
    """A Namespace to create."""

    metadata: NewMetadata
