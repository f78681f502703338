"""The base of every section of the configuration: the spelling of keys, and secrets from files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

_ACRONYMS = {"dn", "id", "ssl", "url"}
MAX_SECRET_FILE = 64 * 1024
"""Bytes; what is longer is not a secret but a mistake."""


def camel_case(name: str) -> str:
    """The key of a field as kubesphere.yaml spells it: `manager_dn` is `managerDN`."""
    first, *rest = name.split("_")
    return first + "".join(word.upper() if word in _ACRONYMS else word.capitalize() for word in rest)


def fold(key: str) -> str:
    """A key without what does not count in it: case (as in viper), underscores and dashes."""
    return key.lower().replace("_", "").replace("-", "")


class Section(BaseModel):
    """A section of kubesphere.yaml. Fields are in snake case here and in camel case in the file.

    A field of type SecretStr can be read from a file instead: `passwordFile: /run/secrets/x` fills `password`
    with the file's text, without the newline at its end.
    """

    model_config = ConfigDict(
        alias_generator=camel_case,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        values = dict(cast("dict[str, Any]", data))
        for name in secret_fields(cls):
            for key, spelling in ((f"{name}_file", name), (f"{camel_case(name)}File", camel_case(name))):
                if key in values:
                    values[spelling] = _read_secret(key, values.pop(key))
        return values


def secret_fields(model: type[BaseModel]) -> Iterator[str]:
    """Names of the fields of `model` that a file may hold."""
    for name, field in model.model_fields.items():
        if _is_secret(field) and f"{name}_file" not in model.model_fields:
            yield name


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or field.annotation == SecretStr | None


def _read_secret(key: str, path: Any) -> str:
    try:
        with Path(str(path)).open("rb") as file:
            content = file.read(MAX_SECRET_FILE + 1)
        if len(content) > MAX_SECRET_FILE:
            raise PydanticCustomError(
                "secret_file", "{path} is longer than 64 KiB", {"key": key, "path": str(path)}
            )
        secret = content.decode("utf-8").rstrip("\r\n")
        if not secret:
            raise PydanticCustomError("secret_file", "{path} is empty", {"key": key, "path": str(path)})
        return secret
    except OSError as error:
        raise PydanticCustomError(
            "secret_file",
            "cannot read {path}: {why}",
            {"key": key, "path": str(path), "why": error.strerror or str(error)},
        ) from error
    except UnicodeDecodeError as error:
        raise PydanticCustomError(
            "secret_file", "{path} is not UTF-8 text", {"key": key, "path": str(path)}
        ) from error
