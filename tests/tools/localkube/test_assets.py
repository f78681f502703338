"""Prebuilt programs are run only when they are what their checksum list says."""

import os
import subprocess
from pathlib import Path

import pytest

from localkube.assets import CHECKSUMS, asset, pack, release_name, unpack
from localkube.binaries import Finder
from localkube.errors import BinariesMissing, ChecksumMismatch
from localkube.progress import Progress
from localkube.versions import NEWEST

NAME = release_name("hyperkube", NEWEST.kubernetes)


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A folder of assets with a small program in the place of Kubernetes."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho hello\n")
    pack(program, NAME, tmp_path / "assets")
    return tmp_path / "assets"


def test_an_asset_is_unpacked_and_runs(assets: Path, tmp_path: Path):
    toolset = Finder(NEWEST, assets=assets, cache=tmp_path / "cache").kubernetes()
    assert toolset.source == "assets"
    assert subprocess.check_output([toolset.paths["kubelet"]], text=True) == "hello\n"


def test_a_changed_asset_is_refused(assets: Path, tmp_path: Path):
    (assets / f"{NAME}.xz").write_bytes(b"something else")
    with pytest.raises(ChecksumMismatch, match="damaged or not the right file"):
        Finder(NEWEST, assets=assets, cache=tmp_path / "cache").kubernetes()


def test_an_asset_without_a_checksum_is_refused(assets: Path, tmp_path: Path):
    (assets / CHECKSUMS).write_text("")
    with pytest.raises(ChecksumMismatch, match="not listed"):
        Finder(NEWEST, assets=assets, cache=tmp_path / "cache").kubernetes()


def test_a_new_asset_replaces_what_an_older_one_left_in_the_cache(assets: Path, tmp_path: Path):
    packed = asset(assets, "hyperkube", NEWEST.kubernetes)
    assert packed
    unpack(packed, "hyperkube", tmp_path / "cache", Progress())
    newer = tmp_path / "newer"
    newer.write_text("#!/bin/sh\necho newer\n")
    pack(newer, NAME, assets)
    executable = unpack(packed, "hyperkube", tmp_path / "cache", Progress())
    assert subprocess.check_output([executable], text=True) == "newer\n"


def test_programs_on_path_must_be_of_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("etcd", "kube-apiserver", "go"):
        (tmp_path / name).write_text("#!/bin/sh\necho Kubernetes v1.2.3; echo etcd Version: 3.4.23\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr("localkube.golang.toolchain._PACKAGE", "--no-index localkube-has-no-such-package")
    with pytest.raises(BinariesMissing) as missing:
        Finder(NEWEST, cache=tmp_path / "cache", environment={"LOCALKUBE_RELEASE_URL": ""}).kubernetes()
    for source in (
        "assets: neither",
        "PATH: ",
        "another version",
        "cache: ",
        "LOCALKUBE_RELEASE_URL",
        "build: ",
    ):
        assert source in str(missing.value)


def test_programs_on_path_are_used_when_they_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in (
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
        "kubectl",
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\necho Kubernetes v{NEWEST.kubernetes}\n")
    (tmp_path / "etcd").write_text(f"#!/bin/sh\necho etcd Version: {NEWEST.etcd}\n")
    for program in tmp_path.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin:/usr/bin")
    toolset = Finder(NEWEST, cache=tmp_path / "cache", environment={}).kubernetes()
    assert (toolset.source, toolset.paths["etcd"]) == ("PATH", tmp_path / "etcd")
