"""What every service has: configuration, application, errors, identity, paging, health, metrics, tracing."""
