"""Kubernetes for asyncio: client, informers, work queue, controllers, leader election, RBAC."""
