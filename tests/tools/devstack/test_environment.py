"""The environment file is safe to source, whatever is in it."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devstack import environment

words = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"))


@given(st.dictionaries(st.from_regex(r"KS_[A-Z]{1,8}", fullmatch=True), words, max_size=5))
def test_what_is_written_is_read_back(values):
    assert environment.parse(environment.render(values)) == values


@settings(max_examples=25, deadline=None)
@given(words.filter(lambda text: not text.endswith("\n")))
def test_a_shell_reads_the_very_value_and_runs_none_of_it(value):
    script = environment.render({"KS_X": value}) + 'printf %s "$KS_X"'
    done = subprocess.run(["sh", "-eu"], input=script.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == value
    assert not done.stderr


def test_a_key_that_no_shell_takes_is_refused():
    with pytest.raises(ValueError, match="KS-X"):
        environment.render({"KS-X": "1"})
