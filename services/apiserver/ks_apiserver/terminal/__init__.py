"""Terminals: a shell in a container, for whom Kubernetes lets run commands there."""
