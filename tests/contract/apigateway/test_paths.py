"""A path means one thing to the gateway, to its rules and to the upstream."""

import pytest

from harness.gateway import GatewayUnderTest

IAM = "/kapis/iam.kubesphere.io/v1alpha2"


@pytest.mark.parametrize(
    "path",
    [
        "/kapis//iam.kubesphere.io/v1alpha2/login",
        f"//{IAM[1:]}/login",
        f"{IAM}/../v1alpha2/login",
        f"{IAM}/./login",
        f"{IAM}/login/..",
        f"{IAM}/login/../users",
        f"{IAM}/login/%2e%2e/users",
        f"{IAM}/login/%2E./users",
        f"{IAM}/login/.%2e/users",
        f"{IAM}/login/%252e%252e/users",
        f"{IAM}/login/..;/users",
        f"{IAM}/login/..;a=b/users",
        f"{IAM}/login/%2e%2e;/users",
        f"{IAM}/login/..%3b/users",
        f"{IAM}/login%2f..%2fusers",
        f"{IAM}/login%2Fusers",
        f"{IAM}/login%5c..%5cusers",
        f"{IAM}\\login",
        f"{IAM}/login\\..\\users",
        f"{IAM}/login%00",
        f"{IAM}/login%0d%0aX: y",
        f"{IAM}/login%7f",
        f"{IAM}/login%",
        f"{IAM}/login%4",
        f"{IAM}/login%zz",
        f"{IAM}/login%ff",
        f"{IAM}/login%c0%ae",
        f"{IAM}/login#users",
        "*",
        "login",
        "http:///x",
        "ftp://gateway/x",
        "/\u00e9",
        '/a"b\u0080',
    ],
)
async def test_a_path_of_two_meanings_is_refused(gateway: GatewayUnderTest, path: str) -> None:
    reached = len(gateway.upstream.received)
    head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n"
    answer = await gateway.ask(head, b"")
    assert answer.status == 400, answer
    assert len(gateway.upstream.received) == reached


@pytest.mark.parametrize("path", [f"{IAM}/log%69n", "/k%61pis/iam.kubesphere.io/v1alpha2/%6Cogin"])
async def test_an_escape_of_a_letter_is_the_letter(gateway: GatewayUnderTest, path: str) -> None:
    answer = await gateway.get(path, method="POST")
    assert answer.json["target"] == f"{IAM}/login"


@pytest.mark.parametrize(
    ("path", "reaches"),
    [
        ("/a%20b", "/a%20b"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/feature%252Fx", "/feature%252Fx"),
        ("/a:b@c=d,e+f~(g)!*'", "/a:b@c=d,e+f~(g)!*'"),
        ("/a;v=1", "/a;v=1"),
        ("/...", "/..."),
        ("/.hidden", "/.hidden"),
        ("/x/", "/x/"),
        ("/%3Fnot-a-query", "/%3Fnot-a-query"),
        ("/q?a=/../b//c&d=%2e%2e", "/q?a=/../b//c&d=%2e%2e"),
        ('/q?a={b="c"}|d', '/q?a={b="c"}|d'),
    ],
)
async def test_other_paths_arrive_as_they_were_meant(
    gateway: GatewayUnderTest, alice: str, path: str, reaches: str
) -> None:
    tenant = "/kapis/tenant.kubesphere.io/v1alpha2"
    assert (await gateway.get(tenant + path, token=alice)).json["target"] == tenant + reaches


async def test_an_absolute_target_is_its_path(gateway: GatewayUnderTest) -> None:
    answer = await gateway.get("http://gateway/kapis/v1alpha1/configz")
    assert answer.json["target"] == "/kapis/v1alpha1/configz"
