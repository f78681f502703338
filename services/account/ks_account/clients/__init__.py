"""One module for each system that the service speaks to; nothing else speaks to it."""
