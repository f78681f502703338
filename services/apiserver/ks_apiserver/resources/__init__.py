"""Resources of the cluster: finding them, how they fare, and what they were."""
