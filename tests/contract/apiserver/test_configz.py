"""Which components the platform has."""

import pytest

pytestmark = pytest.mark.kubernetes

NONE = ["alerting", "devops", "ldap", "logging", "mysql", "notification", "openpitrix", "redis", "s3"]
NONE += ["servicemesh", "sonarqube"]


async def test_anybody_may_ask_which_components_are_configured(demo, as_):
    answer = await as_(demo, "admin").at("192.0.2.1").get("/kapis/v1alpha1/configz")
    assert answer.status == 200
    assert answer.json == {"kubernetes": True, "monitoring": True, **dict.fromkeys(NONE, False)}
