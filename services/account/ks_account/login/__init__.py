"""Signing in: the password, the tokens, the limits on guessing, and the log of logins."""
