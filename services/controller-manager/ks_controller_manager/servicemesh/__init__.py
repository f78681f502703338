"""What the controllers of Istio's objects share: which Services are in the mesh, and how they write."""
