"""Installs the platform on an existing cluster, component by component."""
