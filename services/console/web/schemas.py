"""Types of the application from the services' own descriptions of their APIs.

python schemas.py            writes src/api/iam.ts from the OpenAPI document of ks-account
python schemas.py --check    says whether it is what would be written, and exits with 1 where it is not
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from build import (  # pyright: ignore[reportMissingImports]  # it is beside this file
    WEB,
    BuildFailed,
    modules,
    node_environment,
)

TARGET = WEB / "src" / "api" / "iam.ts"
HEADER = """\
/**
 * What ks-account is asked and answers, written by schemas.py from its OpenAPI document.
 * Do not change it here: change the service, and run `python schemas.py`.
 */
"""
_REFERENCE = re.compile(r"(?: \* *\n)? \* This interface was referenced by [^*]*\n \* via the [^*]*\n")
_IN_OPENAPI, _IN_SCHEMA = "#/components/schemas/", "#/$defs/"
_UNUSED = frozenset(("title", "maxItems", "minItems"))
"""What would make a type of its own out of every property, or a tuple out of a list."""


def written() -> str:
    """The text of the file. Raises BuildFailed."""
    described = _output([str(Path(sys.executable).with_name("ks-account")), "openapi"])
    schemas = json.loads(described)["components"]["schemas"]
    definitions = json.loads(json.dumps(_plain(schemas)).replace(_IN_OPENAPI, _IN_SCHEMA))
    with tempfile.TemporaryDirectory() as folder:
        schema = Path(folder, "iam.json")
        schema.write_text(json.dumps({"$defs": definitions, "type": "object"}))
        program = str(modules() / ".bin" / "json2ts")
        options = ["--unreachableDefinitions", "--additionalProperties=false", "--no-format"]
        made = _output([program, *options, "--bannerComment", "", "--input", str(schema)])
    return _formatted(HEADER + _without_root(made))


def _plain(schema: Any) -> Any:
    """Without what says nothing about the shape of a value; properties keep their names."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _UNUSED or isinstance(value, dict)}
    return {key: _plain(value) for key, value in kept.items()}


def _without_root(text: str) -> str:
    """The definitions alone: the document itself is nothing that is asked or answered, nor what refers to
    it.
    """
    first = text.index("export interface ")
    end = text.index("}\n", first) + 2
    return _REFERENCE.sub("", text[:first] + text[end:].lstrip())


def _formatted(text: str) -> str:
    program = str(modules() / ".bin" / "biome")
    return _output([program, "format", f"--stdin-file-path={TARGET.relative_to(WEB)}"], text)


def _output(command: list[str], given: str | None = None) -> str:
    done = subprocess.run(
        command, cwd=WEB, env=node_environment(), input=given, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildFailed(f"{Path(command[0]).name} failed:\n{done.stderr[-2000:].strip()}")
    return done.stdout


def main(arguments: list[str]) -> int:
    """Writes the file, or checks it."""
    try:
        text = written()
    except BuildFailed as error:
        print(f"schemas.py: {error}", file=sys.stderr)
        return 1
    if "--check" not in arguments:
        TARGET.write_text(text)
    elif not TARGET.is_file() or TARGET.read_text() != text:
        print("schemas.py: src/api/iam.ts is not what ks-account describes: run schemas.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
