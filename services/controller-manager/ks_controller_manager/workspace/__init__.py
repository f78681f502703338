"""Workspaces: the ClusterRoles of each, their bindings, and its end."""
