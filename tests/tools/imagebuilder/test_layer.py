"""Layers and archives: the same contents give the same bytes."""

import json
import os
import tarfile
from pathlib import Path

from imagebuilder.archive import write_archive
from imagebuilder.layer import TIME, Layer, write_layer


def tree(root: Path) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin/run").write_text("#!/bin/sh\n")
    (root / "bin/run").chmod(0o700)
    (root / "notes").write_text("text")
    (root / "link").symlink_to("bin/run")
    return root


def test_times_owners_and_modes_of_files_make_no_difference(tmp_path: Path) -> None:
    first, second = tree(tmp_path / "first"), tree(tmp_path / "second")
    (second / "notes").chmod(0o600)
    os.utime(second / "notes", (1, 1))
    layers = [write_layer({"app": each}, tmp_path / f"{each.name}.tar") for each in (first, second)]
    assert layers[0].digest == layers[1].digest
    (second / "notes").write_text("Text")
    assert write_layer({"app": second}, tmp_path / "third.tar").digest != layers[0].digest


def test_a_layer_holds_the_tree_at_its_place(tmp_path: Path) -> None:
    layer = write_layer({"app/lib": tree(tmp_path / "tree")}, tmp_path / "layer.tar", world_writable=["tmp"])
    with tarfile.open(layer.path) as tar:
        members = {member.name: member for member in tar}
    assert list(members) == [
        "app", "app/lib", "app/lib/bin", "app/lib/bin/run", "app/lib/link", "app/lib/notes", "tmp",
    ]  # fmt: skip
    assert {(each.uid, each.gid, each.mtime) for each in members.values()} == {(0, 0, TIME)}
    assert members["app/lib/bin/run"].mode == 0o755
    assert members["app/lib/notes"].mode == 0o644
    assert members["app/lib/link"].linkname == "bin/run"
    assert members["tmp"].mode == 0o1777


def test_an_archive_names_its_image_settings_and_layers(tmp_path: Path) -> None:
    layers: list[Layer] = [write_layer({"": tree(tmp_path / "tree")}, tmp_path / "layer.tar")]
    settings = {"User": "65532:65532", "Entrypoint": ["run"]}
    archive = write_archive("ks-some:1", layers, settings, tmp_path / "ks-some.tar")
    with tarfile.open(archive.path) as tar:
        (manifest,) = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]
        config = json.loads(tar.extractfile(manifest["Config"]).read())  # type: ignore[union-attr]
        assert tar.getmember(manifest["Layers"][0]).size == layers[0].size
    assert manifest["RepoTags"] == ["ks-some:1"]
    assert manifest["Config"] == f"{archive.digest}.json"
    assert config["config"] == settings
    assert config["rootfs"]["diff_ids"] == [f"sha256:{layers[0].digest}"]
    again = write_archive("ks-some:1", layers, settings, tmp_path / "again.tar")
    assert again.path.read_bytes() == archive.path.read_bytes()
