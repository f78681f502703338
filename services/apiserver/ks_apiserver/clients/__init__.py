"""One module for each external system; nothing else speaks to it."""
