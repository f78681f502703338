"""Images of the platform's services: by a Docker engine, or assembled without one."""
