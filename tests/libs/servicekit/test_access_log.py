"""What the access log must not hold."""

import pytest

from servicekit.access_log import mask


@pytest.mark.parametrize(
    "name", ["token", "Token", "%74oken", "access%5Ftoken", "acc%65ss_token", "passw%4Frd"]
)
def test_a_secret_is_masked_however_its_name_is_written(name):
    assert mask(f"/p?a=1&{name}=hunter2&b=2") == f"/p?a=1&{name}=***&b=2"
    assert mask(f"/p?{name}=hun=ter2") == f"/p?{name}=***"


@pytest.mark.parametrize("path", ["/p", "/p?", "/p?a=1&&b", "/p?tokens=1&my_token=2&%zz=3", "/token=x"])
def test_everything_else_stays(path):
    assert mask(path) == path
