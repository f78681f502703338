"""Asks a service for its health, for engines that check a container by a command in it.

    python -m servicekit.probe http://127.0.0.1:9090/readyz

Of the standard library alone: it runs every few seconds, and the service itself takes seconds to import.
"""

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

_SECONDS = 4
_SHOWN = 500  # bytes of an answer


def problem_at(url: str) -> str:
    """Why the service at `url` is not well; empty when it answers 200."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        text = answer.read(_SHOWN).decode(errors="replace")
    except (OSError, HTTPException) as error:
        return f"{url} does not answer: {error!r}"
    finally:
        connection.close()
    return "" if answer.status == 200 else f"{url} answers {answer.status}: {text}"


if __name__ == "__main__":
    sys.exit(problem_at(sys.argv[1]) or None)
