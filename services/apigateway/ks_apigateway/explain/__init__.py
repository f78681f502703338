"""Why somebody may do something, or what they would need for it."""
