"""Connections to hosts that a caller names: where they may go, and how much they may bring back."""
