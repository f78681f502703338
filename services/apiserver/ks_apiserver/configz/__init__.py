"""Which components the platform is configured with."""
