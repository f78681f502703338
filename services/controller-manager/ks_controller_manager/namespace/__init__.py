"""Namespaces of workspaces: whose they are, the Roles in each, and what goes with them."""
