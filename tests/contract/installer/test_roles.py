"""What the cluster roles that everybody is given must not hold."""

import pytest

from ks_installer.catalogue import Catalogue


@pytest.mark.parametrize("role", ["cluster-regular", "workspaces-manager"])
def test_a_role_for_everybody_writes_nothing_into_the_namespaces_of_others(role: str) -> None:
    """regular-limitranges: in kube-system, or at another tenant, a LimitRange stops every new pod."""
    [found] = [
        obj for obj in Catalogue.installed().component("roles").manifests if obj["metadata"]["name"] == role
    ]
    of_kubernetes = [rule for rule in found["rules"] if "" in rule["apiGroups"]]
    assert [rule for rule in of_kubernetes if not {"get", "list", "watch"} >= set(rule["verbs"])] == []
