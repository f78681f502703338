"""Which paths lead where, and which of them without a token."""

import json
import re
from typing import Any

import pytest

from harness.gateway import GatewayUnderTest

IAM = "/kapis/iam.kubesphere.io/v1alpha2"
DEVOPS = "/kapis/devops.kubesphere.io/v1alpha2"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{IAM}/login"),
        ("GET", f"{IAM}/login"),
        ("POST", f"{IAM}/authenticate"),
        ("POST", f"{IAM}/token"),
        ("GET", f"{IAM}/oauth/providers"),
        ("GET", f"{IAM}/oauth/corp/callback"),
        ("GET", "/kapis/v1alpha1/configz"),
        ("GET", "/kapis/openpitrix.io/v1/apps"),
        ("GET", "/kapis/openpitrix.io/v1/apps/app-1/versions"),
        ("GET", "/kapis/openpitrix.io/v1/attachments/a1"),
        ("GET", "/kapis/openpitrix.io/v1/categories"),
        ("POST", f"{DEVOPS}/webhook/github"),
        ("GET", f"{DEVOPS}/webhook/git"),
        ("POST", f"{DEVOPS}/webhook/git"),
    ],
)
async def test_these_need_no_token(gateway: GatewayUnderTest, method: str, path: str) -> None:
    answer = await gateway.get(path, method=method)
    assert answer.status == 200
    assert answer.json["target"] == path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{IAM}/loginXYZ"),
        ("POST", f"{IAM}/login/x"),
        ("POST", f"{IAM}/login/"),
        ("POST", f"{IAM}/LOGIN"),
        ("GET", f"{IAM}/token"),
        ("POST", f"{IAM}/oauth/corp/callback"),
        ("POST", "/kapis/v1alpha1/configz"),
        ("GET", "/kapis/v1alpha1/configzz"),
        ("POST", "/kapis/openpitrix.io/v1/apps"),
        ("DELETE", "/kapis/openpitrix.io/v1/categories/c1"),
        ("GET", "/kapis/openpitrix.io/v1/appsX"),
        ("GET", "/kapis/openpitrix.io/v1/repos"),
        ("GET", f"{DEVOPS}/webhook/github/x"),
        ("GET", f"{DEVOPS}/webhook"),
        ("GET", f"{IAM}/users"),
        ("GET", "/"),
        ("GET", "/foo"),
        ("GET", "/kapis"),
        ("GET", "/kapis/"),
        ("GET", "/apis"),
        ("GET", "/version"),
        ("GET", "/swagger"),
        ("GET", "/images/x"),
        ("GET", "/healthz/x"),
        ("GET", "/kapis/config.kubesphere.io/v1alpha2/configz"),
        ("OPTIONS", f"{IAM}/users"),
    ],
)
async def test_everything_else_needs_one(gateway: GatewayUnderTest, method: str, path: str) -> None:
    answer = await gateway.get(path, method=method)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Unauthorized,no token found"


async def test_the_recorded_answers_without_a_token(gateway: GatewayUnderTest) -> None:
    """The paths of the original's recorded 401s."""
    for path in ("/kapis/nosuch.io/v1", "/kapis/notification.kubesphere.io/x", "/job/x"):
        assert (await gateway.get(path)).headers["www-authenticate"] == "Unauthorized,no token found", path


@pytest.mark.parametrize(
    "path", ["/", "/foo", "/KAPIS/iam.kubesphere.io/v1alpha2/users", "/kapisx", "/apix/v1"]
)
async def test_an_unknown_path_is_not_found(gateway: GatewayUnderTest, admin: str, path: str) -> None:
    answer = await gateway.get(path, token=admin)
    assert answer.status == 404
    assert answer.json["reason"] == "NotFound"


@pytest.mark.parametrize(
    ("path", "component"),
    [
        ("/kapis/notification.kubesphere.io/x", "notification"),
        ("/kapis/devops.kubesphere.io/v1alpha/x", "devops"),
    ],
)
async def test_a_component_that_is_not_there_is_named(
    gateway: GatewayUnderTest, admin: str, path: str, component: str
) -> None:
    answer = await gateway.get(path, token=admin)
    assert answer.status == 503
    assert answer.json["message"] == f"{component} is not available: it is not configured"


@pytest.mark.parametrize(
    ("path", "reaches"),
    [
        (f"{IAM}/users/x/logs", f"{IAM}/users/x/logs"),
        ("/kapis/jenkins.kubesphere.io/job/a/api/json?tree=b", "/job/a/api/json?tree=b"),
        ("/kapis/jenkins.kubesphere.io", "/"),
        ("/job/a/", "/job/a/"),
        (
            "/kapis/monitoring.kubesphere.io/v1alpha2/cluster?a=%20b",
            "/kapis/monitoring.kubesphere.io/v1alpha2/cluster?a=%20b",
        ),
    ],
)
async def test_the_upstream_sees_its_own_path(
    gateway: GatewayUnderTest, admin: str, path: str, reaches: str
) -> None:
    assert (await gateway.get(path, token=admin)).json["target"] == reaches


async def test_the_older_path_of_token_review_leads_to_account(gateway: GatewayUnderTest) -> None:
    answer = await gateway.get("/apis/account.kubesphere.io/v1alpha1/authenticate", method="POST")
    assert answer.json["target"] == f"{IAM}/authenticate"


async def test_jenkins_gets_user_and_token_as_basic_authentication(
    gateway: GatewayUnderTest, alice: str
) -> None:
    from base64 import b64decode

    answer = await gateway.get("/kapis/jenkins.kubesphere.io/x", token=alice)
    fields = dict(answer.json["fields"])
    scheme, _, value = fields["authorization"].partition(" ")
    assert scheme == "Basic"
    assert b64decode(value).decode() == f"agw-alice:{alice}"
    assert fields["x-token-username"] == "agw-alice"


async def test_health_is_answered_here(gateway: GatewayUnderTest) -> None:
    assert (await gateway.get("/healthz")).json == {"status": "ok"}
    ready = await gateway.get("/readyz")
    assert ready.status == 200
    assert set(ready.json["dependencies"]) == {"redis", "kubernetes", "rbac"}


async def test_metrics_count_requests_by_route(gateway: GatewayUnderTest, alice: str) -> None:
    import aiohttp

    await gateway.get("/kapis/tenant.kubesphere.io/v1alpha2/workspaces", token=alice)
    await gateway.get("/kapis/resources.kubesphere.io/v1alpha2/nodes", token=alice)
    await gateway.get("/kapis/iam.kubesphere.io/v1alpha2/users/agw-alice", token=alice)
    await gateway.get("/kapis/resources.kubesphere.io/v1alpha2/nodes", token="none")
    async with aiohttp.ClientSession() as session, session.get(f"{gateway.ops_url}/metrics") as answer:
        text = await answer.text()
    assert (
        'http_server_request_duration_seconds_count{http_request_method="GET",'
        'http_response_status_code="200",http_route="/kapis/tenant.kubesphere.io/v1alpha2"}'
    ) in text
    assert 'gateway_upstream_connections{state="idle",upstream="apiserver"}' in text
    for kind, result in (
        *(("authentications", each) for each in ("accepted", "refused")),
        *(("authorizations", each) for each in ("allowed", "denied", "left")),
    ):
        count = re.search(rf'gateway_{kind}_total{{result="{result}"}} (\d+)', text)
        assert count is not None, (kind, result)
        assert int(count[1]) > 0, (kind, result)


async def test_the_access_log_has_one_line_a_request(gateway: GatewayUnderTest, alice: str) -> None:
    from harness.waiting import eventually

    path = "/kapis/tenant.kubesphere.io/v1alpha2/logged"
    answer = await gateway.get(f"{path}?password=hidden&a=b", "X-Request-Id: my-own-id", token=alice)
    assert answer.headers["x-request-id"] == "my-own-id"

    def line() -> dict[str, Any]:
        found = [json.loads(each) for each in gateway.service.log.splitlines() if "my-own-id" in each]
        assert len(found) == 1
        return found[0]

    logged = await eventually(line)
    assert logged["user"] == "agw-alice"
    assert logged["path"] == f"{path}?password=***&a=b"
    assert (logged["status"], logged["upstream"], logged["method"]) == (200, "apiserver", "GET")
