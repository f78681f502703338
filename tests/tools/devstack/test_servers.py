"""Each back end starts from nothing, serves, and keeps its data over a restart."""

import asyncio
import subprocess

import ldap3
import redis

from devstack.servers import MariaDB, OpenLDAP
from harness import RunningServer, running_redis


async def test_redis_keeps_its_keys_over_a_restart(tmp_path):
    async with running_redis(tmp_path, password="a 'quoted' word") as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", "yes")
        await server.stop()
        await server.start()
        with redis.Redis.from_url(server.url) as client:
            assert client.get("kept") == b"yes"


async def test_the_url_of_redis_is_one_that_redis_cli_takes(tmp_path):
    async with running_redis(tmp_path, password="secret") as server:
        command = ["redis-cli", "--no-auth-warning", "-u", server.url, "ping"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("PONG\n", "")


async def test_redis_asks_for_its_password(tmp_path):
    async with running_redis(tmp_path, password="secret") as server:
        with redis.Redis(server.host, server.port) as client:
            try:
                client.ping()
            except redis.AuthenticationError:
                return
        raise AssertionError("a client without the password was let in")


async def test_openldap_holds_the_base_and_knows_users_and_groups(openldap: RunningServer[OpenLDAP]):
    with manager(openldap) as connection:
        person = "uid=devstack-user,dc=kubesphere,dc=io"
        group = "cn=devstack-group,dc=kubesphere,dc=io"
        connection.add(
            person,
            ["inetOrgPerson", "posixAccount"],
            {
                "sn": "x",
                "cn": "x",
                "mail": "x@example.org",
                "userPassword": "pw",
                "uidNumber": 5000,
                "gidNumber": 5000,
                "homeDirectory": "/home/x",
            },
        )
        connection.add(group, ["posixGroup"], {"gidNumber": 5000, "memberUid": ["devstack-user"]})
        try:
            with ldap3.Connection(ldap3.Server(openldap.url, get_info=ldap3.NONE), person, "pw") as user:
                assert user.bound
        finally:
            connection.delete(person)
            connection.delete(group)


async def test_openldap_tells_strangers_nothing(openldap: RunningServer[OpenLDAP]):
    with ldap3.Connection(ldap3.Server(openldap.url, get_info=ldap3.NONE)) as stranger:
        assert not stranger.search("dc=kubesphere,dc=io", "(objectClass=*)")


async def test_openldap_keeps_its_entries_when_it_is_killed(openldap: RunningServer[OpenLDAP]):
    await openldap.stop(hard=True)
    await openldap.start()
    with manager(openldap) as connection:
        assert connection.search("dc=kubesphere,dc=io", "(objectClass=dcObject)")


async def test_mariadb_admits_its_user_to_its_database(mariadb: RunningServer[MariaDB]):
    sql = "CREATE TABLE devstack (id INT); DROP TABLE devstack"
    account = [
        "--user=kubesphere",
        "--password=kubesphere",
        f"--host={mariadb.host}",
        f"--port={mariadb.port}",
    ]
    client = ["mariadb", "--no-defaults", "--protocol=tcp", *account, f"--execute={sql}", "kubesphere"]
    done = await asyncio.to_thread(subprocess.run, client, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def manager(openldap: RunningServer[OpenLDAP]) -> ldap3.Connection:
    server = ldap3.Server(openldap.url, get_info=ldap3.NONE)
    return ldap3.Connection(server, openldap.definition.manager_dn, "admin", raise_exceptions=True)
