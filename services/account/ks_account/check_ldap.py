"""`ks-account check-ldap`: tries a directory step by step, and says what is wrong with the configuration.

Nothing is changed in the directory.
"""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Sequence

from ks_account.clients.directory import Directory
from ks_account.config import AccountConfig
from servicekit.config import ConfigError, add_arguments, load_options
from servicekit.errors import Unavailable

_OK, _PROBLEM, _MISUSE = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """Run the command with its arguments; gives its exit status: 1 for a problem, 2 for a wrong
    configuration.
    """
    options = _parser().parse_args(argv)
    try:
        config = load_options(AccountConfig, options, os.environ)
        directory = Directory(config.ldap, config.account)
    except ConfigError as error:
        print(f"ks-account check-ldap: configuration: {error}", file=sys.stderr)
        return _MISUSE
    return asyncio.run(_check(directory, config, options.user, options.password_stdin))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ks-account check-ldap", description="Try the directory step by step. Changes nothing."
    )
    add_arguments(parser)
    parser.add_argument(
        "--user", metavar="NAME", help="also look for a user, by name or e-mail, and try to sign in"
    )
    parser.add_argument(
        "--password-stdin", action="store_true", help="read that user's password from standard input"
    )
    return parser


async def _check(directory: Directory, config: AccountConfig, user: str | None, from_stdin: bool) -> int:
    ldap = config.ldap
    steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        (f"sign in to {ldap.host} as {ldap.manager_dn}", lambda: _done(directory.connect())),
        (f"read the users in {ldap.user_search_base}", lambda: _users(directory, ldap.user_search_base)),
        (f"read the groups in {ldap.group_search_base}", lambda: _groups(directory, ldap.group_search_base)),
    ]
    if user:
        steps.append((f"sign in as {user}", lambda: _sign_in(directory, user, from_stdin)))
    try:
        for what, step in steps:
            try:
                print(f"{what}: {await step()}")
            except Unavailable as error:
                print(f"{what}: failed\n  {error.message}")
                return _PROBLEM
    finally:
        await directory.close()
    return _OK


async def _done(step: Awaitable[None]) -> str:
    await step
    return "ok"


async def _users(directory: Directory, base: str) -> str:
    if not await directory.has_entry(base):
        return "not there yet; the service adds it"
    return f"ok, {len(await directory.users())} of objectClass inetOrgPerson"


async def _groups(directory: Directory, base: str) -> str:
    return "ok" if await directory.has_entry(base) else "not there yet; the service adds it"


async def _sign_in(directory: Directory, user: str, from_stdin: bool) -> str:
    entry = await directory.find_login(user)
    if entry is None:
        raise Unavailable("the user", "no entry has that uid or mail, or more than one has")
    password = sys.stdin.readline().rstrip("\n") if from_stdin else getpass.getpass(f"password of {user}: ")
    if not password or not await directory.accepts(entry, password):
        raise Unavailable("the user", f"{entry.dn} is there, but the directory refuses the password")
    return f"ok, {entry.dn}"
