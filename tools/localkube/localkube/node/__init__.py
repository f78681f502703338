"""The node: containerd, kubelet and kube-proxy, and everything they put on the machine."""
