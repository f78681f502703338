"""Directories of others, such as Active Directory, whose people sign in here with their passwords there."""
