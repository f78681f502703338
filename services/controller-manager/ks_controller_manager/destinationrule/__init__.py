"""Versions of a component in the mesh: Deployments and ServicePolicies to DestinationRules."""
