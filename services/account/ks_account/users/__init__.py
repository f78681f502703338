"""User accounts: entries in the directory, with their role in the cluster."""
