"""What applying a manifest would do."""
