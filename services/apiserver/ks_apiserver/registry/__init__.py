"""Image registries: whether credentials are good, and what an image is made of."""
