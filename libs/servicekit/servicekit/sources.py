"""Where configuration comes from: a YAML file, the environment, flags; each value with the place it was read
from."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

import yaml
from pydantic import BaseModel

from servicekit.section import Section, camel_case, fold, secret_fields

DEFAULT_FILES = (Path("/etc/kubesphere/kubesphere.yaml"), Path("kubesphere.yaml"))
MAX_FILE = 1024 * 1024
"""Bytes of the configuration file."""
PREFIX = "KS_"

_SERVICE_LINK = re.compile(r".+_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP|SCTP).*)?)")
"""Variables that the kubelet sets in every pod for Services, such as KS_ACCOUNT_SERVICE_HOST."""


class ConfigError(Exception):
    """The configuration cannot be used: the text names the key, its source, and what is wrong."""


class UnknownKey(Exception):
    """No such key; `suggestion` is the nearest one, if there is one near."""

    def __init__(self, path: str, suggestion: str | None):
        super().__init__(
            f"{path}: there is no such key" + (f"; did you mean {suggestion}?" if suggestion else "")
        )


KeyPath = tuple[str, ...]
"""Keys from the outermost section inwards, as the file spells them."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value, and where it was read."""

    value: Any
    source: str


class Layers:
    """Values for the fields of `model`, by path; what is put later wins."""

    def __init__(self, model: type[BaseModel]):
        self.model = model
        self.leaves: dict[KeyPath, Leaf] = {}
        self.warnings: list[str] = []

    def put(self, path: KeyPath, value: Any, source: str) -> None:
        self.leaves.pop(other_spelling(path), None)
        self.leaves[path] = Leaf(value, source)

    def nested(self) -> dict[str, Any]:
        """The values as the model's constructor takes them."""
        result: dict[str, Any] = {}
        for path, leaf in self.leaves.items():
            inner = result
            for key in path[:-1]:
                inner = inner.setdefault(key, {})
            inner[path[-1]] = leaf.value
        return result

    def source_of(self, path: KeyPath) -> str | None:
        """Where the value at `path`, or at the longest part of it that was given, came from."""
        for length in range(len(path), 0, -1):
            if leaf := self.leaves.get(path[:length]):
                return leaf.source
        return None


def other_spelling(path: KeyPath) -> KeyPath:
    """`x.password` for `x.passwordFile`, and the other way round: two ways to give one value."""
    *section, key = path
    return (*section, key.removesuffix("File") if key.endswith("File") else f"{key}File")


def find(model: type[BaseModel], keys: Sequence[str], parents: KeyPath = ()) -> tuple[KeyPath, Any]:
    """The path of the field that `keys` name, in whatever case, and its type. Raises UnknownKey."""
    names = {fold(name): (camel_case(name), field.annotation) for name, field in model.model_fields.items()}
    for secret in secret_fields(model):
        names[fold(f"{secret}_file")] = (f"{camel_case(secret)}File", str)
    known = names.get(fold(keys[0]))
    if known is None:
        nearest = difflib.get_close_matches(fold(keys[0]), names, n=1, cutoff=0.6)
        suggestion = ".".join((*parents, names[nearest[0]][0])) if nearest else None
        raise UnknownKey(".".join((*parents, *keys)), suggestion)
    path = (*parents, known[0])
    if len(keys) == 1:
        return path, known[1]
    if section := as_section(known[1]):
        return find(section, keys[1:], path)
    raise UnknownKey(".".join((*parents, *keys)), ".".join(path))


def as_section(annotation: Any) -> type[Section] | None:
    """The section that a field holds, or None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return None


def read_file(layers: Layers, named: str | None) -> None:
    """Puts the values of the file `named`, which must be there, or of the default one, which may be
    missing."""
    path = Path(named) if named else next((file for file in DEFAULT_FILES if file.exists()), None)
    if path is None:
        layers.warnings.append(
            f"no configuration file: neither {DEFAULT_FILES[0]} nor ./{DEFAULT_FILES[1]} is there"
        )
        return
    root = _parse(path)
    if root is not None:
        _FileReader(layers, path).section(layers.model, root, ())


def _parse(path: Path) -> yaml.Node | None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration file: {error.strerror or error}") from None
    if len(content) > MAX_FILE:
        raise ConfigError(f"{path}: the configuration file is longer than 1 MiB")
    try:
        loader = yaml.SafeLoader(content)
        root = loader.get_single_node()
        if root is not None:
            _construct(root)  # applies merge keys, and refuses what is not plain data
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{where}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    return None if _is_null(root) else root


def _is_null(node: yaml.Node | None) -> bool:
    return node is None or node.tag == "tag:yaml.org,2002:null"


class _FileReader:
    """Walks the nodes of one file, so that each value keeps its line."""

    def __init__(self, layers: Layers, path: Path):
        self._layers = layers
        self._path = path
        self._seen: dict[KeyPath, int] = {}

    def section(self, model: type[BaseModel], node: yaml.Node, parents: KeyPath) -> None:
        if not isinstance(node, yaml.MappingNode):
            name = ".".join(parents) or "the file"
            raise ConfigError(f"{name}: must hold keys and values ({self._source(node)})")
        for key, value in node.value:
            self._entry(model, str(key.value), value, parents, key.start_mark.line + 1)

    def _entry(self, model: type[BaseModel], key: str, value: yaml.Node, parents: KeyPath, line: int) -> None:
        try:
            path, annotation = find(model, [key], parents)
        except UnknownKey as error:
            if parents:
                raise ConfigError(f"{error} ({self._path}, line {line})") from None
            self._layers.warnings.append(f"{error} ({self._path}, line {line})")
            return
        if previous := self._seen.get(path) or self._seen.get(other_spelling(path)):
            raise ConfigError(f"{'.'.join(path)}: is given twice ({self._path}, lines {previous} and {line})")
        self._seen[path] = line
        if _is_null(value):
            return
        if section := as_section(annotation):
            self.section(section, value, path)
        else:
            self._layers.put(path, _construct(value), f"{self._path}, line {line}")

    def _source(self, node: yaml.Node) -> str:
        return f"{self._path}, line {node.start_mark.line + 1}"


def _construct(node: yaml.Node) -> Any:
    return cast("Any", yaml.SafeLoader("")).construct_document(node)  # the stubs leave it untyped


def read_environment(layers: Layers, environ: Mapping[str, str]) -> None:
    """Puts the values of variables such as KS_REDIS_PORT. Empty ones count as not set."""
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or not text or text.startswith(("tcp://", "udp://", "sctp://")):
            continue
        try:
            found = _find_variable(layers.model, name.removeprefix(PREFIX).split("_"), ())
        except UnknownKey as error:
            if not _SERVICE_LINK.fullmatch(name):
                layers.warnings.append(f"{error} (environment variable {name})")
            continue
        if found is not None:
            path, annotation = found
            layers.put(path, _from_text(text, annotation, path, name), f"environment variable {name}")


def _find_variable(model: type[BaseModel], words: list[str], parents: KeyPath) -> tuple[KeyPath, Any] | None:
    """As `find`, where a key may take several words; None when the first section is not one of `model`."""
    for length in range(len(words), 0, -1):
        try:
            path, annotation = find(model, ["_".join(words[:length])], parents)
        except UnknownKey:
            continue
        section = as_section(annotation)
        if section and length < len(words):
            return _find_variable(section, words[length:], path)
        if not section and length == len(words):
            return path, annotation
    if not parents:
        return None
    return find(model, ["_".join(words)], parents)


def read_flags(layers: Layers, settings: Sequence[str]) -> None:
    """Puts the values of flags such as `redis.port=6380`."""
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise ConfigError(f"{setting}: must be section.key=value (flag --set)")
        try:
            path, annotation = find(layers.model, key.split("."))
        except UnknownKey as error:
            raise ConfigError(f"{error} (flag --set)") from None
        if as_section(annotation):
            raise ConfigError(f"{key}: is a section; set one of its keys (flag --set)")
        layers.put(path, _from_text(text, annotation, path, f"--set {key}"), f"flag --set {key}")


def _from_text(text: str, annotation: Any, path: KeyPath, name: str) -> Any:
    """A value as the model takes it: text, except for lists and mappings, which are YAML or separated by
    commas."""
    if not any(origin in (list, tuple, set, frozenset, dict) for origin in _origins(annotation)):
        return text
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"{'.'.join(path)}: is neither YAML nor a list with commas ({name})") from None
    return [item.strip() for item in text.split(",")] if isinstance(value, (str, int, float)) else value


def _origins(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for option in get_args(annotation):
            yield from _origins(option)
    else:
        yield origin or annotation
