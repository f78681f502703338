"""How passwords are stored, and which are allowed.

Stored is `{CRYPT}` with SHA-512 crypt (`$6$`): OpenLDAP verifies it by crypt(3) without a module, on every
libc that it runs on. Argon2 and PBKDF2 need modules that the server may not have.
"""

import re
import secrets

from passlib.handlers.ldap_digests import ldap_sha512_crypt  # pyright: ignore[reportAttributeAccessIssue]

from servicekit.errors import BadRequest

MIN_LENGTH = 6
MAX_BYTES = 256
_STORED = re.compile(rb"\{CRYPT\}\$6\$(?:rounds=(\d+)\$)?")
_DEFAULT_ROUNDS = 5000


def stored(password: str, rounds: int) -> str:
    """What is stored for `password`: a salted hash of so many rounds. Slow by design; call it in a thread."""
    return ldap_sha512_crypt.using(rounds=rounds).hash(password)


def is_outdated(value: bytes, rounds: int) -> bool:
    """Whether a stored value is clear text, as v2.1.1 left it, or a weaker hash than is made now."""
    match = _STORED.match(value)
    return match is None or int(match[1] or _DEFAULT_ROUNDS) < rounds


def check(password: str) -> None:
    """Raise BadRequest for a password that is not allowed.

    The message begins as that of v2.1.1.
    """
    if len(password) < MIN_LENGTH:
        raise BadRequest(
            f"invalid password: it needs at least {MIN_LENGTH} characters", reason="PasswordTooShort"
        )
    if len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise BadRequest(f"invalid password: it may have at most {MAX_BYTES} bytes", reason="PasswordTooLong")
    if not is_text(password):
        raise BadRequest("invalid password: it holds control characters", reason="PasswordNotText")


def is_text(value: str) -> bool:
    """Whether a string can be sent as UTF-8 and holds no control characters."""
    return not any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in value)


def random() -> str:
    """A password for a person to type: 104 bits, without characters that look alike."""
    alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(6)) for _ in range(3))
