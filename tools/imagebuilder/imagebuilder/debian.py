"""Root file systems of Debian packages, as the lists of the machine's own apt name them.

Packages are unpacked, not installed: none of their scripts runs. What a script would have made and a server
needs is the caller's to add.
"""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from imagebuilder import cache
from imagebuilder.command import output_of
from imagebuilder.errors import BuildFailed

# Merged as Debian merges them since bookworm (debian-policy, usrmerge).
_MERGED = ("bin", "lib", "lib64", "sbin")
_UNUSED = (
    "usr/share/doc",
    "usr/share/doc-base",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "etc/init.d",
    "etc/logrotate.d",
)
# What packages depend on for the sake of their scripts alone.
_FOR_SCRIPTS = frozenset(
    {"adduser", "debconf", "dpkg", "gcc-12-base", "init-system-helpers", "libmd0", "lsb-base", "openssl"}
    | {"passwd", "perl-base", "psmisc", "readline-common", "sysvinit-utils", "tar"}
)
_ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n",
    "etc/group": "root:x:0:\nnonroot:x:65532:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_FORM = "1"  # of what is made of the same packages; another one makes them anew


def files_for(names: Sequence[str]) -> list[str]:
    """The files of the packages `names` and of all that they depend on; each has a version in it.

    Raises BuildFailed where apt does not know one, or the machine is not Debian's.
    """
    nothing_installed = ("-o", "Dir::State::status=/dev/null", "-o", "Debug::NoLocking=1")
    printed = output_of(
        *("apt-get", "install", "--print-uris", "-qq", "--no-install-recommends"), *nothing_installed, *names
    )
    files = (line.split()[1] for line in printed.splitlines() if line.startswith("'"))
    left_out = _FOR_SCRIPTS - frozenset(names)
    return sorted(file for file in files if file.partition("_")[0] not in left_out)


def root_of(names: Sequence[str]) -> Path:
    """A folder that holds the packages `names` and all that they depend on, kept from one call to the next.

    Raises BuildFailed.
    """
    files = files_for(names)
    root = cache.folder("roots") / cache.key_of([_FORM, *files])
    with cache.held(root):
        if not root.is_dir():
            with TemporaryDirectory(dir=root.parent) as directory:
                unfinished = Path(directory, "root")
                _unpack(_downloaded(files), unfinished)
                _complete(unfinished)
                unfinished.rename(root)
    return root


def _downloaded(files: Sequence[str]) -> list[Path]:
    kept = cache.folder("packages")
    missing = [file for file in files if not (kept / file).is_file()]
    if missing:
        with TemporaryDirectory(dir=kept) as directory:
            # apt verifies what it downloads against its signed lists.
            output_of(
                "apt-get", "download", "-qq", *(_version(file) for file in missing), cwd=Path(directory)
            )
            for path in Path(directory).glob("*.deb"):
                path.rename(kept / path.name)
    for file in files:
        if not (kept / file).is_file():
            raise BuildFailed(f"apt-get did not bring {file}")
    return [kept / file for file in files]


def _version(file: str) -> str:
    """name=version, where the name of a file has %3a for the colon of an epoch."""
    name, version, _ = file.split("_")
    return f"{name}={version.replace('%3a', ':')}"


def _unpack(files: Iterable[Path], root: Path) -> None:
    (root / "usr").mkdir(parents=True)
    for name in _MERGED:
        (root / "usr" / name).mkdir()
        (root / name).symlink_to(f"usr/{name}")
    for file in files:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", file], stdout=subprocess.PIPE) as content:
            done = subprocess.run(
                ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", root],
                stdin=content.stdout,
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode or content.returncode:
            raise BuildFailed(f"{file} cannot be unpacked: {done.stderr.strip()}")


def _complete(root: Path) -> None:
    for unused in _UNUSED:
        shutil.rmtree(root / unused, ignore_errors=True)
    for name in ("etc", "tmp", "root", "run", "var/lib", "var/log"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, text in _ACCOUNTS.items():
        if not (root / name).exists():
            (root / name).write_text(text)
    authorities = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    if authorities:
        bundle = root / "etc/ssl/certs/ca-certificates.crt"
        bundle.parent.mkdir(parents=True, exist_ok=True)
        bundle.write_text("".join(path.read_text() for path in authorities))
        # Where OpenSSL looks if it is told nothing else.
        (root / "usr/lib/ssl").mkdir(exist_ok=True)
        (root / "usr/lib/ssl/cert.pem").symlink_to("/etc/ssl/certs/ca-certificates.crt")
