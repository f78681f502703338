# /// script
# requires-python = ">=3.11"
# dependencies = ["moto[s3]==5.2.5", "flask>=3.1", "flask-cors>=6.0"]
# ///
"""moto's S3 server on a port of the loopback: `s3_server.py PORT`.

It accepts any credentials and keeps all in memory. A script of its own, with a lock file beside it: what it
needs would hold back the platform's libraries.
"""

import sys

from moto.server import DomainDispatcherApplication, create_backend_app  # pyright: ignore
from werkzeug.serving import run_simple  # pyright: ignore

if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=True)
