"""A real single-node Kubernetes from pinned binaries, for development and tests."""
