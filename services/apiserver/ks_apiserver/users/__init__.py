"""What belongs to one user: a kubeconfig, and a pod with kubectl in it."""
