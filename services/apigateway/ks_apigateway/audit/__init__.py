"""Who did what to which object, when, from where, with what result: events as Kubernetes audits its own."""
