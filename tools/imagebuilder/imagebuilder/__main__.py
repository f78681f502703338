"""The command imagebuilder."""

import argparse
import sys
from pathlib import Path

from imagebuilder.errors import BuildFailed
from imagebuilder.service import Assembler, services

_ROOT = Path(__file__).resolve().parents[3]


def main() -> None:
    """Assembles images and prints name, size, digest and file of each."""
    parser = argparse.ArgumentParser(prog="imagebuilder", description=main.__doc__)
    parser.add_argument("name", nargs="*", help="such as ks-account (default: all)")
    parser.add_argument("--root", type=Path, default=_ROOT, help="the repository (default: this one)")
    options = parser.parse_args()
    assembler = Assembler(options.root)
    try:
        for name in options.name or services(options.root):
            archive = assembler.assemble(name)
            print(
                f"{archive.name}  {archive.size / 1e6:.0f} MB  sha256:{archive.digest}  {archive.path}",
                flush=True,
            )
    except BuildFailed as error:
        sys.exit(f"imagebuilder: {error}")


if __name__ == "__main__":
    main()
