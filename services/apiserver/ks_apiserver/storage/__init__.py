"""Storage classes: which of them is the default."""
