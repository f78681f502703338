"""Where the files of S2iBinaries lie, and which binaries are left over: tables, without a cluster."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from ks_controller_manager.s2ibinary import binaries
from ks_controller_manager.s2ibinary.store import BinaryStore, StoreError, address_of
from servicekit.sections import S3Config

NOW = datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC)
YESTERDAY, TODAY = "2026-01-02T03:04:04Z", "2026-01-02T03:04:06Z"


def binary(name: str = "b", phase: str = "", created: str = YESTERDAY, **metadata: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "n", "uid": name, "creationTimestamp": created, **metadata}
    return {"metadata": meta, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("found", "runs", "wanted"),
    [
        (binary(), [], True),
        (binary(phase="Uploading"), [], True),
        (binary(phase="UploadFailed"), [], True),
        (binary(phase="Ready"), [], False),
        (binary(), [binary("run")], False),
        (binary(created=TODAY), [], False),
        (binary(deletionTimestamp=YESTERDAY), [], False),
        ({"metadata": binary()["metadata"]}, [], True),
    ],
)
def test_only_what_was_never_uploaded_and_nothing_uses_is_left_over(
    found: Any, runs: list[Any], wanted: bool
) -> None:
    assert binaries.abandoned(found, runs, NOW) is wanted


def test_what_is_being_deleted_uses_nothing_any_more() -> None:
    found = [binary("a"), binary("b"), binary("c", deletionTimestamp=TODAY)]
    assert [one["metadata"]["name"] for one in binaries.others(found, binary("a"))] == ["b"]


def test_a_file_is_named_as_before_and_a_run_names_its_binary() -> None:
    assert binaries.file_of(binary("x-y")) == "n-x-y"
    run = binary("r", labels={"s2ibinary-name.kubesphere.io": "x-y"})
    assert (binaries.binary_of(run), binaries.binary_key(run)) == ("x-y", "n/x-y")
    assert (binaries.binary_of(binary()), binaries.binary_key(binary())) == ("", None)


@pytest.mark.parametrize(
    ("endpoint", "disable_ssl", "wanted"),
    [
        ("minio.kubesphere-system.svc:9000", True, ("minio.kubesphere-system.svc:9000", False)),
        ("s3.example.org", False, ("s3.example.org", True)),
        ("http://minio.kubesphere-system.svc:9000", False, ("minio.kubesphere-system.svc:9000", False)),
        ("https://s3.example.org/", True, ("s3.example.org", True)),
    ],
)
def test_the_endpoint_of_the_store_is_read_with_and_without_a_scheme(
    endpoint: str, disable_ssl: bool, wanted: tuple[str, bool]
) -> None:
    assert address_of(S3Config(endpoint=endpoint, disable_ssl=disable_ssl)) == wanted


@pytest.mark.parametrize("endpoint", ["127.0.0.1:1", "http://", "no host:9000"])
async def test_a_store_that_does_not_answer_is_told_from_one_that_refuses(endpoint: str) -> None:
    store = BinaryStore(S3Config(endpoint=endpoint, access_key_id="a", secret_access_key=SecretStr("hidden")))
    with pytest.raises(StoreError) as caught:
        await store.delete("n-b")
    assert caught.value.reason == "StoreUnreachable"
    assert "hidden" not in str(caught.value)
