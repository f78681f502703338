"""Finding objects of any kind and namespace by a part of their name."""
