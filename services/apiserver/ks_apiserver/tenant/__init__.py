"""Tenancy: the workspaces and namespaces that a user may see, and what they may make of them."""
