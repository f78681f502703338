"""A user's own way to the cluster: a kubeconfig, and a pod with kubectl that uses it."""
