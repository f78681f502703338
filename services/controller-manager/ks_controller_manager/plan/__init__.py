"""What the controllers would write to a cluster as it is, without writing it."""
