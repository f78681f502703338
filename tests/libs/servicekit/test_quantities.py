"""Durations and sizes as configuration files write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.quantities import parse_duration, parse_size

UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6, "ns": 1e-9}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("40m", 2400),
        ("10s", 10),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("5.s", 5),
        ("1h0.5m100ms", 3630.1),
        ("-1m", -60),
        ("+1m", 60),
        ("0", 0),
        ("15", 15),
        (15, 15),
        (0.5, 0.5),
        (" 5s ", 5),
    ],
)
def test_durations_mean_what_go_says(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "5 s",
        "5x",
        "1h-5m",
        "1e3s",
        "--1s",
        "5m5",
        "\u0665s",
        "9" * 100 + "s",
        None,
        True,
        [],
        math.nan,
        math.inf,
    ],
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(list(UNITS))), min_size=1, max_size=6))
def test_the_parts_of_a_duration_add_up(parts):
    text = "".join(f"{number}{unit}" for number, unit in parts)
    assert parse_duration(text) == pytest.approx(sum(number * UNITS[unit] for number, unit in parts))


@given(st.text(alphabet="0123456789.hmsnu\u00b5+- ", max_size=30))
def test_any_text_is_a_finite_duration_or_refused(text):
    try:
        assert math.isfinite(parse_duration(text))
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), (512, 512), ("10Ki", 10240), ("1Mi", 2**20), ("2G", 2 * 10**9), ("1k", 1000)],
)
def test_sizes_mean_what_kubernetes_says(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "Mi", "1.5Mi", "-1", "1mb", "1 Mi", None, True, 1.5])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="size"):
        parse_size(text)
