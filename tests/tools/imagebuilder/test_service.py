"""Images that are assembled without an engine, run from the files in them."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagebuilder.archive import Archive
from imagebuilder.service import Assembler, services

ROOT = Path(__file__).parents[3]
NAMES = list(services(ROOT))
NOBODY = "--userspec=65532:65532"
SECRET = "thirty-two characters, and some more"


@pytest.fixture(scope="module")
def archives() -> dict[str, Archive]:
    if not shutil.which("apt-get"):
        pytest.skip("images are assembled of Debian's packages, and there is no apt-get")
    assembler = Assembler(ROOT)
    return {name: assembler.assemble(name) for name in NAMES}


@pytest.fixture(scope="module")
def root(archives: dict[str, Archive], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Everything that is in the images, each layer once: of a library all have one version."""
    if os.geteuid() != 0:
        pytest.skip("only root changes the root directory of a process")
    root = tmp_path_factory.mktemp("images") / "root"
    seen: set[str] = set()
    for archive in archives.values():
        with tarfile.open(archive.path) as outer:
            for member in outer:
                if member.name.endswith("/layer.tar") and member.name not in seen:
                    seen.add(member.name)
                    with tarfile.open(fileobj=outer.extractfile(member)) as layer:
                        layer.extractall(root, filter="fully_trusted")
    yield root
    shutil.rmtree(root)


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/app/bin:/usr/bin",
        "HOME": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        "KS_AUTHENTICATION_JWT_SECRET": SECRET,
        "KS_REDIS_HOST": "redis",
        "KS_LDAP_HOST": "openldap:389",
    }
    return subprocess.run(
        ["/usr/sbin/chroot", NOBODY, root, *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "ks-installer"])
def test_a_service_starts_from_its_image(name: str, root: Path) -> None:
    done = run(root, f"/app/bin/{name}", "check-config")
    assert done.returncode == 0, done.stderr
    assert "redis:" in done.stdout


def test_the_installer_brings_its_components(root: Path) -> None:
    done = run(root, "/app/bin/ks-installer", "--help")
    assert done.returncode == 0, done.stderr
    (components,) = root.glob("app/lib/*/site-packages/ks_installer/components")
    assert (components / "crds/component.yaml").is_file()


def test_nothing_in_an_image_is_compiled_when_it_starts(root: Path) -> None:
    """Its file system is read-only, so what is not compiled now is compiled at every start."""
    (site,) = root.glob("app/lib/*/site-packages")
    for package in ("aiohttp", "kubekit", "ks_account"):
        sources = {path.stem for path in (site / package).glob("*.py")}
        assert sources
        assert {path.name.partition(".")[0] for path in (site / package / "__pycache__").iterdir()} == sources


def test_certificates_of_servers_can_be_verified(root: Path) -> None:
    done = run(
        root, "/app/bin/python", "-c", "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    )
    assert int(done.stdout) > 50, done.stderr


def test_no_file_may_take_the_rights_of_another_user(root: Path) -> None:
    assert [path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o6000] == []


def test_assembling_again_gives_the_same_image(
    archives: dict[str, Archive], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing kept of the first time but what others made: Debian's packages, and the application."""
    home = archives["ks-console"].path.parents[2]
    (tmp_path / "kubesphere" / "images").mkdir(parents=True)
    for kept in ("images/packages", "images/roots", "console"):
        (tmp_path / "kubesphere" / kept).symlink_to(home / kept)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("UV_CACHE_DIR", str(Path.home() / ".cache/uv"))
    again = Assembler(ROOT).assemble("ks-console")
    assert again.path.is_relative_to(tmp_path)
    assert again.digest == archives["ks-console"].digest
