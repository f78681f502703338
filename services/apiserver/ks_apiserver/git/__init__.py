"""Repositories of source: whether they can be read."""
