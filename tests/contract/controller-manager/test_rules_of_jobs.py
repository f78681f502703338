"""What a Job's annotation `revisions` says of its runs: tables, without a cluster."""

import json
from typing import Any

import pytest

from ks_controller_manager.job import revisions

CREATED = "2026-01-02T03:04:05Z"
ENDED = "2026-01-02T03:05:06Z"
NEVER = "0001-01-01T00:00:00Z"


def job(uid: str = "u1", recorded: Any = None, completions: int | None = 1, **status: Any) -> dict[str, Any]:
    text = recorded if isinstance(recorded, str) else json.dumps(recorded)
    return {
        "metadata": {
            "name": "j",
            "namespace": "n",
            "uid": uid,
            "resourceVersion": "7",
            "creationTimestamp": CREATED,
            "annotations": {} if recorded is None else {"revisions": text},
        },
        "spec": {} if completions is None else {"completions": completions},
        "status": status,
    }


def condition(kind: str, status: str = "True", **more: str) -> dict[str, str]:
    return {"type": kind, "status": status, **more}


def written(patch: dict[str, Any]) -> dict[str, Any]:
    return json.loads(patch["metadata"]["annotations"]["revisions"])


RUNNING = {"status": "running", "desire": 1, "uid": "u1", "start-time": CREATED, "completion-time": NEVER}
RUN_0 = {**RUNNING, "uid": "u0", "status": "completed", "succeed": 1, "completion-time": ENDED}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (job(), RUNNING),
        (job(completions=None), {key: value for key, value in RUNNING.items() if key != "desire"}),
        (
            job(conditions=[condition("Complete")], succeeded=1, completionTime=ENDED),
            {**RUNNING, "status": "completed", "succeed": 1, "completion-time": ENDED},
        ),
        (
            job(conditions=[condition("Failed", reason="BackoffLimitExceeded", message="no")], failed=3),
            {
                **RUNNING,
                "status": "failed",
                "failed": 3,
                "reasons": ["BackoffLimitExceeded"],
                "messages": ["no"],
            },
        ),
        (job(conditions=[condition("Failed", "False")]), RUNNING),
        (job(conditions=[condition("SuccessCriteriaMet"), condition("Suspended")]), RUNNING),
    ],
)
def test_a_run_is_recorded_as_its_status_says(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert written(revisions.patch(given)) == {"1": wanted}


def test_what_is_recorded_is_not_written_again() -> None:
    assert revisions.patch(job(recorded={"1": RUNNING})) == {}


def test_a_run_keeps_its_number_while_it_goes_on() -> None:
    given = job(recorded={"1": RUN_0, "2": RUNNING}, conditions=[condition("Complete")], succeeded=1)
    assert written(revisions.patch(given)) == {
        "1": RUN_0,
        "2": {**RUNNING, "status": "completed", "succeed": 1},
    }


def test_a_new_uid_is_a_new_run() -> None:
    assert written(revisions.patch(job(recorded={"1": RUN_0}))) == {"1": RUN_0, "2": RUNNING}


def test_numbers_with_gaps_overwrite_nothing() -> None:
    assert written(revisions.patch(job(recorded={"3": RUN_0}))) == {"3": RUN_0, "4": RUNNING}


def test_the_patch_is_of_the_run_that_it_was_computed_from() -> None:
    metadata = revisions.patch(job())["metadata"]
    assert (metadata["uid"], metadata["resourceVersion"]) == ("u1", "7")


@pytest.mark.parametrize("text", ["nonsense", "[]", "1", '{"a": {}}', '{"1": 2}', "null"])
def test_an_annotation_of_somebody_else_stays(text: str) -> None:
    assert revisions.patch(job(recorded=text)) == {}


def test_job_revisions_are_bounded() -> None:
    many = {str(number): {**RUN_0, "uid": f"old{number}"} for number in range(1, 101)}
    failed = condition("Failed", reason="r", message="x" * 5000)
    found = written(revisions.patch(job(recorded=many, conditions=[failed])))
    assert (len(found), min(map(int, found)), max(map(int, found))) == (100, 2, 101)
    assert found["101"]["messages"] == ["x" * 1024]
