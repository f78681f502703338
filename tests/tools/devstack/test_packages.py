"""What is missing is named with its package and the command that installs it."""

import pytest

from devstack import requirements
from devstack.packages import CannotInstall, Requirement, check_installable, missing
from devstack.settings import Settings

REDIS = Requirement("redis-server", "redis-server")
SLAPD = Requirement("slapd", "slapd")


def nothing_but(*programs: str):
    return lambda name: name in programs


def test_only_what_is_not_found_is_missing():
    assert missing([REDIS, SLAPD], nothing_but("slapd")) == [REDIS]


def test_a_user_who_is_not_root_gets_the_command_to_run():
    with pytest.raises(CannotInstall) as error:
        check_installable([SLAPD, REDIS], root=False, debian=True)
    assert "needs root" in str(error.value)
    assert "sudo apt-get install --no-install-recommends redis-server slapd" in str(error.value)


def test_elsewhere_than_on_debian_the_packages_are_named():
    with pytest.raises(CannotInstall, match=r"not Debian.*redis-server, slapd"):
        check_installable([SLAPD, REDIS], root=True, debian=False)


@pytest.mark.parametrize("root", [True, False])
def test_nothing_missing_needs_no_rights(root):
    check_installable([], root=root, debian=False)


def test_root_on_debian_may_install():
    check_installable([REDIS], root=True, debian=True)


def test_only_a_stack_with_pods_needs_containerd(tmp_path):
    def packages(**chosen):
        settings = Settings(state=tmp_path, **chosen)
        return {each.package for each in requirements.for_stack(settings)}

    assert "containerd" in packages(node=True)
    assert "containerd" not in packages(node=False)
    assert "containerd" not in packages(node=True, kubeconfig=tmp_path / "given")
    assert "mariadb-server" not in packages(node=False)
    assert "mariadb-server" in packages(node=False, mariadb=True)
