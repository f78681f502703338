"""Traffic of a component in the mesh: Strategies to VirtualServices."""
