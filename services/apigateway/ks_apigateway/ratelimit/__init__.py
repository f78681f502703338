"""How often somebody may ask: token buckets by user, by address and by route."""
