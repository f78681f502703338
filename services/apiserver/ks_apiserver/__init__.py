"""The aggregated APIs under /kapis: resources, tenancy and what components add."""
