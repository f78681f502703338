"""Pages that stay current: several over one WebSocket."""
