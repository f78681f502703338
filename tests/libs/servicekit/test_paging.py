"""Pages, orders and conditions as KubeSphere v2.1.1 reads them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.errors import BadRequest
from servicekit.paging import PageQuery, parse_bool, parse_conditions, parse_page_query, parse_paging

# What v2.1.1 matches the items of `conditions` with; quadratic on hostile input, so the library has its own.
ORIGINAL = re.compile("([^\t\n\f\r ]+)([=~])([^\t\n\f\r ]+)?")


@pytest.mark.parametrize(
    ("text", "limit", "offset"),
    [
        ("limit=10,page=1", 10, 0),
        ("limit=5,page=3", 5, 10),
        ("limit=0,page=4", 0, 0),
        ("limit=-1,page=1", -1, 0),
        ("limit=-1,page=7", -1, 0),
        ("limit=-20,page=2", -1, 0),
        ("limit=10,page=0", 10, 0),
        ("", 10, 0),
        ("limit=10", 10, 0),
        ("page=2,limit=10", 10, 0),
        ("limit=10,page=-1", 10, 0),
        ("limit=10,page=1 ", 10, 0),
        ("limit=10,page=1\n", 10, 0),
        ("limit=x,page=1", 10, 0),
        ("limit=\u0661,page=1", 10, 0),
    ],
)
def test_paging_is_read_as_the_original_reads_it(text, limit, offset):
    assert parse_paging(text) == (limit, offset)


@given(st.integers(0, 10**30), st.integers(0, 10**30), st.integers(0, 200))
def test_any_page_lies_within_the_list(limit, page, total):
    found, offset = parse_paging(f"limit={limit},page={page}")
    window = PageQuery(limit=found, offset=offset).window(total)
    assert 0 <= window.start <= window.stop <= total
    assert window.stop - window.start <= limit


@given(st.integers(1, 30), st.lists(st.integers(), max_size=100))
def test_the_pages_of_a_list_make_up_the_list(limit, items):
    seen: list[int] = []
    for page in range(1, len(items) // limit + 2):
        query = parse_page_query({"paging": f"limit={limit},page={page}"})
        answer = query.page(items)
        assert answer.total == len(items)
        seen.extend(answer.items)
    assert seen == items


def test_digits_without_end_are_not_an_error():
    assert parse_paging("limit=1,page=" + "9" * 5000)[1] > 10**17
    assert parse_paging("limit=-" + "9" * 5000 + ",page=1") == (-1, 0)


def test_a_page_that_was_cut_elsewhere_keeps_its_total():
    page = PageQuery(limit=2).page(["a", "b"], total=17)
    assert page.to_json() == {"items": ["a", "b"], "total_count": 17}


def test_a_page_never_holds_more_than_the_maximum():
    query = PageQuery(limit=-1, maximum=5)
    assert query.window(5) == slice(0, 5)
    with pytest.raises(BadRequest, match="ask for pages"):
        query.window(6)


def test_the_order_is_the_clients_or_else_the_default_of_the_list():
    silent = parse_page_query({}).defaults(order_by="createTime", reverse=True)
    assert (silent.order_by, silent.reverse) == ("createTime", True)
    asked = parse_page_query({"orderBy": "name", "reverse": "false"}).defaults(
        order_by="createTime", reverse=True
    )
    assert (asked.order_by, asked.reverse) == ("name", False)


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("T", True), ("1", True), ("False", False), ("0", False), ("yes", None), ("", None)],
)
def test_booleans_are_those_of_go(text, value):
    assert parse_bool(text) is value


def test_conditions_are_exact_or_fuzzy():
    conditions = parse_conditions("status=running,name~web,owner=,label~")
    assert conditions.match == {"status": "running", "owner": ""}
    assert conditions.fuzzy == {"name": "web", "label": ""}
    assert not parse_conditions("")


@pytest.mark.parametrize("text", ["what", "=x", "a=b,", ",", " ", "a=b,~"])
def test_conditions_that_make_no_sense_are_refused(text):
    with pytest.raises(BadRequest, match="invalid conditions"):
        parse_conditions(text)


@given(st.text(alphabet="ab=~ \t\n\x0b\u00a0", max_size=20))
def test_a_condition_is_cut_where_the_original_cuts_it(item):
    expected = ORIGINAL.search(item)
    if expected is None:
        if item:
            with pytest.raises(BadRequest):
                parse_conditions(item)
        return
    conditions = parse_conditions(item)
    found = conditions.match if expected[2] == "=" else conditions.fuzzy
    assert found == {expected[1]: expected[3] or ""}


def test_long_hostile_conditions_are_read_in_one_pass():
    with pytest.raises(BadRequest):
        parse_conditions("a" * 1_000_000)
