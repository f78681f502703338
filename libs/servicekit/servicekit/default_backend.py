"""Answers 404 to whatever a router of a namespace sends to nobody else, and 200 at /healthz.

    python -m servicekit.default_backend 8080

Of the standard library alone, as it runs for ever and does next to nothing.
"""

import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import FrameType

_SECONDS = 10
_HEALTHY = b"ok\n"
_NOBODY = b"default backend - 404\n"


class DefaultBackend(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def do_GET(self) -> None:
        """Every other method is answered 501 by the base class."""
        healthy = self.path == "/healthz"
        body = _HEALTHY if healthy else _NOBODY
        self.send_response(200 if healthy else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing is logged of requests that nobody serves."""


def main(port: int) -> None:
    """Serves until SIGTERM."""
    server = ThreadingHTTPServer(("", port), DefaultBackend)
    server.daemon_threads = True

    def stop(_signal: int, _frame: FrameType | None) -> None:
        Thread(target=server.shutdown).start()  # from another thread than the one that serves

    signal.signal(signal.SIGTERM, stop)
    server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
