"""YAML files with Kubernetes objects in them; what is wrong is told with the file's name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ks_installer.errors import UsageError
from kubekit.resource import Object

# Definitions of others take megabytes, which libyaml reads ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def objects_in(path: Path, text: str | None = None) -> list[Object]:
    """The objects of a file, or of `text` that was made from it.  Raises UsageError."""
    return [_checked(path, document) for document in documents(path, text) if document is not None]


def single_document(path: Path) -> Any:
    """The one document of a file.  Raises UsageError where there are more or none."""
    found = documents(path)
    if len(found) != 1:
        raise UsageError(f"{path}: expected one YAML document, found {len(found)}")
    return found[0]


def documents(path: Path, text: str | None = None) -> list[Any]:
    """All documents of a file, or of `text` that was made from it.  Raises UsageError."""
    try:
        content = path.read_text(encoding="utf-8") if text is None else text
        return list(yaml.load_all(content, Loader=_LOADER))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: {error}") from error


def _checked(path: Path, document: Any) -> Object:
    if not isinstance(document, dict) or not document.get("apiVersion") or not document.get("kind"):
        raise UsageError(f"{path}: a document without apiVersion and kind")
    if not (document.get("metadata") or {}).get("name"):
        raise UsageError(f"{path}: a {document['kind']} without metadata.name")
    return document
