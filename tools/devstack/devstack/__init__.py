"""What `make up` runs: back ends, a local Kubernetes and the services, supervised."""
