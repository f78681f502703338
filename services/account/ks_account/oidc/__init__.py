"""Signing in at a provider of OpenID Connect, and who that is here."""
