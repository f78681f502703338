"""Routers: the ingress gateway of one namespace, which runs beside the platform."""
