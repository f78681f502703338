"""The reconcile loops that keep workspaces, namespaces and roles as declared."""
