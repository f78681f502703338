"""Volumes that grow only while nothing uses them: their workloads are stopped for it, and started again."""
