"""Official release files are used where they are in reach, and only when their checksums fit."""

import functools
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from localkube import releases
from localkube.errors import ChecksumMismatch, Unavailable
from localkube.progress import Progress
from localkube.toolset import PROGRAMS
from localkube.versions import NEWEST, architecture


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        return


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder laid out as the projects publish their releases."""
    folder = tmp_path / "published"
    programs = folder / f"v{NEWEST.kubernetes}/bin/linux/{architecture()}"
    programs.mkdir(parents=True)
    for name in PROGRAMS:
        (programs / name).write_text(name)
        (programs / f"{name}.sha256").write_text(hashlib.sha256(name.encode()).hexdigest())
    etcd = f"etcd-v{NEWEST.etcd}-linux-{architecture()}"
    _archive(folder / f"v{NEWEST.etcd}/{etcd}.tar.gz", f"{etcd}/etcd")
    digest = hashlib.sha256((folder / f"v{NEWEST.etcd}/{etcd}.tar.gz").read_bytes()).hexdigest()
    (folder / f"v{NEWEST.etcd}/SHA256SUMS").write_text(f"{digest}  {etcd}.tar.gz\n")
    return folder


@pytest.fixture
def environment(published: Path) -> Iterator[dict[str, str]]:
    """The settings that name a server of the published files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(published)))
    threading.Thread(target=server.serve_forever).start()
    base = f"http://127.0.0.1:{server.server_port}"
    yield {releases.KUBERNETES_VARIABLE: base, releases.ETCD_VARIABLE: base}
    server.shutdown()
    server.server_close()


def test_release_files_are_fetched_and_checked(environment: dict[str, str], tmp_path: Path):
    toolset = releases.kubernetes(NEWEST, tmp_path / "cache", environment, Progress())
    assert {name: path.read_text() for name, path in toolset.paths.items()} == {
        name: name for name in PROGRAMS
    }


def test_a_release_file_of_another_checksum_is_refused(
    environment: dict[str, str], published: Path, tmp_path: Path
):
    (published / f"v{NEWEST.kubernetes}/bin/linux/{architecture()}/kubelet").write_text("something else")
    with pytest.raises(ChecksumMismatch, match="kubelet"):
        releases.kubernetes(NEWEST, tmp_path / "cache", environment, Progress())


def test_a_server_out_of_reach_is_passed_over(tmp_path: Path):
    nobody = {
        releases.KUBERNETES_VARIABLE: "http://127.0.0.1:9",
        releases.ETCD_VARIABLE: "http://127.0.0.1:9",
    }
    with pytest.raises(Unavailable, match="refused"):
        releases.kubernetes(NEWEST, tmp_path, nobody, Progress())


def test_with_an_empty_setting_no_server_is_asked(tmp_path: Path):
    with pytest.raises(Unavailable, match="LOCALKUBE_COREDNS_RELEASE_URL is empty"):
        releases.coredns(NEWEST, tmp_path, {releases.COREDNS_VARIABLE: ""}, Progress())


def test_the_projects_own_addresses_are_asked_unless_a_setting_names_a_mirror():
    assert all(address.startswith("https://") for address in releases.PUBLISHED_AT.values())
    assert set(releases.PUBLISHED_AT) == {
        releases.KUBERNETES_VARIABLE,
        releases.ETCD_VARIABLE,
        releases.COREDNS_VARIABLE,
    }


def _archive(path: Path, member: str) -> None:
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as tar:
        entry = tarfile.TarInfo(member)
        entry.size = len("etcd")
        tar.addfile(entry, io.BytesIO(b"etcd"))
