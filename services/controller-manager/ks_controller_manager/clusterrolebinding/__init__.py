"""Members of workspaces: whom a workspace's bindings name is bound in its namespaces too."""
